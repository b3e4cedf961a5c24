"""The blocks an issue is made of, as Pydantic models: one class a block type, told apart by ``type``."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from newsletter.issue.address import Url
from newsletter.issue.markdown import Markdown
from newsletter.issue.text import Line

PlainText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Model(BaseModel):
    """Base of everything staff write: unknown keys are errors, values are fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Link(Model):
    """A labelled address: ``{label: Bericht lesen, url: https://…}``."""

    label: Line = Field(description="what readers click on; say where it leads")
    url: Url = Field(description="https, mailto or tel")


class Picture(Model):
    """A picture beside the issue file."""

    src: PlainText = Field(description="the file, relative to the issue file")
    alt: Line | None = Field(None, description="what the picture shows, for those who cannot see it")
    decorative: bool = Field(False, description="true where the picture says nothing that the text does not say")
    caption: Line | None = Field(None, description="the line under the picture")
    credit: Line | None = Field(None, description="who made the picture")

    @model_validator(mode="after")
    def _described(self) -> "Picture":
        if self.alt is None and not self.decorative:
            raise ValueError("alt is missing; say in a few words what the picture shows, or write 'decorative: true'")
        if self.alt is not None and self.decorative:
            raise ValueError("alt and 'decorative: true' exclude each other; keep one of them")
        return self


class DatedPicture(Picture):
    """A picture of a gallery."""

    date: dt.date | None = Field(None, description="the day it was taken")


class Letter(Model):
    """The editorial: a salutation, some paragraphs, a signature."""

    type: Literal["letter"]
    title: Line | None = None
    salutation: Line | None = Field(None, description="e.g. Liebe {{ first_name | default('Leserinnen und Leser') }},")
    body: Markdown
    signature: Line | None = None


class Text(Model):
    """Plain paragraphs, a heading alone, or both."""

    type: Literal["text"]
    title: Line | None = None
    body: Markdown | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Text":
        if self.title is None and self.body is None:
            raise ValueError("has neither title nor body; a text needs at least one of them")
        return self


class Article(Model):
    """A report with heading, picture and a link to the long version."""

    type: Literal["article"]
    kicker: Line | None = Field(None, description="the small line above the title")
    title: Line
    image: Picture | None = None
    body: Markdown
    link: Link | None = None


class Image(Picture):
    """A picture across the full width."""

    type: Literal["image"]
    url: Url | None = Field(None, description="where a click on the picture leads")

    @model_validator(mode="after")
    def _link_is_named(self) -> "Image":
        if self.url is not None and self.alt is None:
            raise ValueError("a linked picture cannot be decorative; give it an alt that names where the link leads")  # A5
        return self


class Quote(Model):
    """A pull quote."""

    type: Literal["quote"]
    text: Markdown
    source: Line | None = Field(None, description="who said it")


class Person(Model):
    """Whom an interview is with."""

    name: Line
    role: Line | None = None
    image: Picture | None = None


class Question(Model):
    """One question of an interview and its answer."""

    question: Line
    answer: Markdown


class Interview(Model):
    """Questions and answers with one person."""

    type: Literal["interview"]
    kicker: Line | None = Field(None, description="e.g. 3 Fragen an")
    title: Line | None = None
    person: Person
    intro: Markdown | None = None
    questions: list[Question] = Field(min_length=1)


class Gallery(Model):
    """Pictures in two columns."""

    type: Literal["gallery"]
    title: Line | None = None
    intro: Markdown | None = None
    images: list[DatedPicture] = Field(min_length=1)


class Event(Model):
    """Something that takes place: when, where, what, and a link."""

    type: Literal["event"]
    kicker: Line | None = None
    title: Line
    starts: dt.datetime | dt.date = Field(description="e.g. 2026-12-05 10:00, or the day alone", union_mode="left_to_right")
    ends: dt.datetime | dt.date | None = Field(None, union_mode="left_to_right")
    place: Line | None = None
    image: Picture | None = None
    body: Markdown | None = None
    link: Link | None = None


class NewsItem(Model):
    """One short notice."""

    title: Line
    date: dt.date | None = None
    body: Markdown | None = None
    link: Link | None = None


class News(Model):
    """Short notices under one heading."""

    type: Literal["news"]
    title: Line
    items: list[NewsItem] = Field(min_length=1)


class Button(Model):
    """One call to action."""

    type: Literal["button"]
    label: Line
    url: Url


class Figure(Model):
    """One key number and what it counts."""

    value: Line
    label: Line


class Figures(Model):
    """Key numbers side by side."""

    type: Literal["figures"]
    title: Line | None = None
    items: list[Figure] = Field(min_length=1, max_length=4)


class Contents(Model):
    """A linked list of the issue's own titles."""

    type: Literal["contents"]
    title: Line | None = None


class Divider(Model):
    """A thin line between two blocks."""

    type: Literal["divider"]


class Mjml(Model):
    """MJML sections of the author's own: trusted and passed on as they are, with the words for the text part beside them."""

    type: Literal["mjml"]
    source: PlainText = Field(description="one or more <mj-section> or <mj-wrapper> elements")
    text: Markdown = Field(description="what the plain text part says in its place")


Block = Annotated[
    Letter
    | Text
    | Article
    | Image
    | Quote
    | Interview
    | Gallery
    | Event
    | News
    | Button
    | Figures
    | Contents
    | Divider
    | Mjml,
    Field(discriminator="type"),
]
