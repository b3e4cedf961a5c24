"""The blocks an issue is made of, as Pydantic models: one class a block type, told apart by ``type``."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from newsletter.issue.address import Url
from newsletter.issue.dates import Day, Duration, Moment
from newsletter.issue.language_tag import Language
from newsletter.issue.markdown import Markdown
from newsletter.issue.mjml import MjmlSource
from newsletter.issue.only import OnlyFor
from newsletter.issue.parts import Link, MisfitError, Model, Picture
from newsletter.issue.text import Line


class OwnBlock(Model):
    """What every block may say, whatever its type."""

    only: OnlyFor = Field(
        None, description="for whom it is, e.g. {language: de} or {tag: presse}; for everyone where it is missing"
    )
    language: Language | None = Field(None, description="the block's, where it is not the issue's: en, fr …")


class DatedPicture(Picture):
    """A picture of a gallery."""

    date: Day | None = Field(None, description="the day it was taken, e.g. 2026-11-18")


class Letter(OwnBlock):
    """The editorial: a salutation, some paragraphs, a signature."""

    noun = "a letter"

    type: Literal["letter"] = Field(description="the editorial")
    title: Line | None = Field(None, description="a heading above the salutation")
    salutation: Line | None = Field(None, description="e.g. Liebe {{ first_name | default('Leserinnen und Leser') }},")
    body: Markdown = Field(description="the paragraphs, in Markdown")
    signature: Line | None = Field(None, description="who writes")


class Text(OwnBlock):
    """Plain paragraphs, a heading alone, or both."""

    noun = "a text"

    type: Literal["text"] = Field(description="paragraphs, a heading, or both")
    title: Line | None = Field(None, description="the heading")
    body: Markdown | None = Field(None, description="the paragraphs, in Markdown")

    @model_validator(mode="after")
    def _says_something(self) -> "Text":
        if self.title is None and self.body is None:
            raise ValueError("has neither title nor body; a text needs at least one of them")
        return self


class Article(OwnBlock):
    """A report with heading, picture and a link to the long version."""

    noun = "an article"

    type: Literal["article"] = Field(description="a report with heading, picture and link")
    kicker: Line | None = Field(None, description="the small line above the title")
    title: Line = Field(description="the heading")
    image: Picture | None = Field(None, description="the picture above the text")
    body: Markdown = Field(description="the report, in Markdown")
    link: Link | None = Field(None, description="where the long version is")


class Image(Picture, OwnBlock):
    """A picture across the full width."""

    noun = "an image"

    type: Literal["image"] = Field(description="a picture across the full width")
    url: Url | None = Field(None, description="where a click on the picture leads")

    @model_validator(mode="after")
    def _link_is_named(self) -> "Image":
        if self.url is not None and self.alt is None:  # A5
            raise MisfitError("alt", "missing; a linked picture cannot be decorative, its alt names where the link leads")
        return self


class Still(Picture):
    """The picture that stands for a video. It is linked, so it cannot be decorative."""

    @model_validator(mode="after")
    def _link_is_named(self) -> "Still":
        if self.alt is None:  # A5
            raise MisfitError("alt", "missing; a video's picture is a link and cannot be decorative, its alt says what is seen")
        return self


class Video(OwnBlock):
    """A still picture with a play mark that leads to a video's page: no mail program plays a video (H2)."""

    noun = "a video"

    type: Literal["video"] = Field(description="a picture with a play mark that leads to a video")
    title: Line | None = Field(None, description="the heading")
    image: Still = Field(description="a still picture of it; the play mark is drawn into it")
    url: Url = Field(description="the page where the video plays")
    duration: Duration | None = Field(None, description="minutes and seconds, e.g. 3:20, or minutes alone")
    body: Markdown | None = Field(None, description="what it is about, in Markdown")


class Teaser(Model):
    """One of two columns: a short report."""

    noun = "a teaser"

    kicker: Line | None = Field(None, description="the small line above the title")
    title: Line = Field(description="the heading")
    image: Picture | None = Field(None, description="the picture above the text")
    body: Markdown | None = Field(None, description="a few sentences, in Markdown")
    link: Link | None = Field(None, description="where to read more")


class Columns(OwnBlock):
    """Two teasers side by side."""

    noun = "a columns block"

    type: Literal["columns"] = Field(description="two teasers side by side")
    title: Line | None = Field(None, description="the heading above both of them")
    items: list[Teaser] = Field(min_length=2, max_length=2, description="the two teasers")


class Quote(OwnBlock):
    """A pull quote."""

    noun = "a quote"

    type: Literal["quote"] = Field(description="a pull quote")
    text: Markdown = Field(description="what was said, in Markdown")
    source: Line | None = Field(None, description="who said it")


class Person(Model):
    """Whom an interview is with."""

    noun = "the person of an interview"

    name: Line = Field(description="the name, with title")
    role: Line | None = Field(None, description="office or function")
    image: Picture | None = Field(None, description="a portrait")


class Question(Model):
    """One question of an interview and its answer."""

    noun = "an interview question"

    question: Line = Field(description="what was asked")
    answer: Markdown = Field(description="what was answered, in Markdown")


class Interview(OwnBlock):
    """Questions and answers with one person."""

    noun = "an interview"

    type: Literal["interview"] = Field(description="questions and answers with one person")
    kicker: Line | None = Field(None, description="the small line above the name, e.g. 3 Fragen an")
    title: Line | None = Field(None, description="the heading")
    person: Person = Field(description="whom the interview is with")
    intro: Markdown | None = Field(None, description="some words before the first question, in Markdown")
    questions: list[Question] = Field(min_length=1, description="the questions, each with its answer")


class Gallery(OwnBlock):
    """Pictures in two columns."""

    noun = "a gallery"

    type: Literal["gallery"] = Field(description="pictures in two columns")
    title: Line | None = Field(None, description="the heading")
    intro: Markdown | None = Field(None, description="some words above the pictures, in Markdown")
    images: list[DatedPicture] = Field(min_length=1, description="the pictures")


class Event(OwnBlock):
    """Something that takes place: when, where, what, and a link."""

    noun = "an event"

    type: Literal["event"] = Field(description="something that takes place")
    kicker: Line | None = Field(None, description="the small line above the title")
    title: Line = Field(description="what takes place")
    starts: Moment = Field(description="e.g. 2026-12-05 10:00, the local time, or the day alone")
    ends: Moment | None = Field(None, description="e.g. 2026-12-05 12:00, or the last day")
    place: Line | None = Field(None, description="where it takes place")
    image: Picture | None = Field(None, description="the picture above the text")
    body: Markdown | None = Field(None, description="what it is about, in Markdown")
    link: Link | None = Field(None, description="where to read more or to register")
    calendar: bool = Field(False, description="true attaches a calendar file, with which readers keep the date")

    @model_validator(mode="after")
    def _calendar_is_for_everyone(self) -> "Event":
        texts = (self.title, self.place, self.body) if self.calendar else ()
        for field in (field for text in texts if text is not None for field in text.fields):
            if field.default is None:
                raise MisfitError(
                    "calendar", f"the file is the same for everyone, so the merge field {field.name} needs a default('…')"
                )
        return self

    @model_validator(mode="after")
    def _in_order(self) -> "Event":
        if self.ends is None:
            return self
        same_kind = type(self.starts) is type(self.ends)
        early = self.ends < self.starts if same_kind else self.ends.timetuple()[:3] < self.starts.timetuple()[:3]
        if early:
            raise MisfitError("ends", "is before the event starts; correct one of them")
        return self


class NewsItem(Model):
    """One short notice."""

    noun = "a news item"

    title: Line = Field(description="the heading")
    date: Day | None = Field(None, description="the day it is about, e.g. 2026-11-18")
    body: Markdown | None = Field(None, description="a few sentences, in Markdown")
    link: Link | None = Field(None, description="where to read more")


class News(OwnBlock):
    """Short notices under one heading."""

    noun = "a news block"

    type: Literal["news"] = Field(description="short notices under one heading")
    title: Line = Field(description="the heading above all of them")
    items: list[NewsItem] = Field(min_length=1, description="the notices")


class Button(OwnBlock):
    """One call to action."""

    noun = "a button"

    type: Literal["button"] = Field(description="one call to action")
    label: Line = Field(description="what the button says; say where it leads")
    url: Url = Field(description="https, mailto or tel")


class Figure(Model):
    """One key number and what it counts."""

    noun = "a figure"

    value: Line = Field(description="the number, as readers see it", json_schema_extra={"type": ["string", "number"]})
    label: Line = Field(description="what it counts")


class Figures(OwnBlock):
    """Key numbers side by side."""

    noun = "a figures block"

    type: Literal["figures"] = Field(description="key numbers side by side")
    title: Line | None = Field(None, description="the heading")
    items: list[Figure] = Field(min_length=1, max_length=4, description="one to four key numbers")


class Contents(OwnBlock):
    """A linked list of the issue's own titles."""

    noun = "a contents block"

    type: Literal["contents"] = Field(description="a linked list of the issue's own titles")
    title: Line | None = Field(None, description="the heading")


class Divider(OwnBlock):
    """A thin line between two blocks."""

    noun = "a divider"

    type: Literal["divider"] = Field(description="a thin line between two blocks")


class Mjml(OwnBlock):
    """MJML sections of the author's own: trusted and passed on as they are, with the words for the text part beside them."""

    noun = "an mjml block"

    type: Literal["mjml"] = Field(description="raw MJML, for what no other block can do")
    source: MjmlSource = Field(description="one or more <mj-section>, <mj-wrapper> or <mj-hero> elements")
    text: Markdown = Field(description="what the plain text part says in its place, in Markdown")


Block = Annotated[
    Letter
    | Text
    | Article
    | Image
    | Video
    | Columns
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
