"""What the pieces of an issue are made of: the base of every model, links and pictures."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from newsletter.issue.address import Url
from newsletter.issue.text import Line, plain_text

#: One line that is the same for everyone (no merge fields), fit for a header (S1).
PlainText = Annotated[str, AfterValidator(plain_text), WithJsonSchema({"type": "string", "minLength": 1})]

#: The way to a value inside a file: keys and list positions.
Loc = tuple[str | int, ...]


class MisfitError(ValueError):
    """What is wrong with one key of a mapping that can only be judged together with another one."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


class Model(BaseModel):
    """Base of everything staff write: unknown keys are errors, values are fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: What it is called in messages.
    noun: ClassVar[str] = "this"

    def walk(self, loc: Loc = ()) -> Iterator[tuple[Loc, Any]]:
        """Every value in it and below it, models and lists included, with the way to it, in the order of the model."""
        for name in type(self).model_fields:
            yield from _walk(getattr(self, name), (*loc, name))


def _walk(value: Any, loc: Loc) -> Iterator[tuple[Loc, Any]]:
    yield loc, value
    if isinstance(value, Model):
        yield from value.walk(loc)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _walk(item, (*loc, number))


class Link(Model):
    """A labelled address: ``{label: Bericht lesen, url: https://…}``."""

    noun = "a link"

    label: Line = Field(description="what readers click on; say where it leads")
    url: Url = Field(description="https, mailto or tel")


class Picture(Model):
    """A picture beside the issue file."""

    noun = "a picture"

    src: PlainText = Field(description="the file (JPEG, PNG or GIF), relative to the issue file")
    alt: Line | None = Field(None, description="what the picture shows, for those who cannot see it")
    decorative: bool = Field(False, description="true where the picture says nothing that the text does not say")
    caption: Line | None = Field(None, description="the line under the picture")
    credit: Line | None = Field(None, description="who made the picture")

    @model_validator(mode="after")
    def _described(self) -> "Picture":
        if self.alt is None and not self.decorative:  # A5
            raise MisfitError("alt", "missing; say in a few words what the picture shows, or write 'decorative: true'")
        if self.alt is not None and self.decorative:
            raise MisfitError("alt", "alt and 'decorative: true' exclude each other; keep one of them")
        return self
