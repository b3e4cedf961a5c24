"""What staff write under ``only:`` becomes a condition: which recipients get a block, by their language and their tags."""

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, NamedTuple

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)

from newsletter.issue.parts import Model
from newsletter.issue.text import plain_text

_LANGUAGE = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*"
#: What separates the tags of a recipient in a cell of the list.
_BETWEEN_TAGS = re.compile("[,;]")


def primary(language: str) -> str:
    """The primary subtag of a BCP 47 tag (RFC 5646 §2.2.1), in small letters: ``de`` for ``de-AT``, ``DE`` and ``de_DE``."""
    return re.split("[-_]", language.strip(), maxsplit=1)[0].lower()


def tags_in(cell: str) -> frozenset[str]:
    """The tags in a cell: ``Presse; Kommunen`` are ``presse`` and ``kommunen``. Case and blanks around them do not count."""
    return frozenset(tag for tag in map(_tag_key, _BETWEEN_TAGS.split(cell)) if tag)


def _tag_key(tag: str) -> str:
    return " ".join(tag.split()).casefold()


class Condition(NamedTuple):
    """Who gets a block: one of the languages and one of the tags, each in the form to compare by; empty is whoever."""

    languages: tuple[str, ...]
    tags: tuple[str, ...]

    def holds(self, language: str, tags: AbstractSet[str]) -> bool:
        """Whether it holds for a recipient (:func:`primary`, :func:`tags_in`)."""
        return (not self.languages or language in self.languages) and (not self.tags or not tags.isdisjoint(self.tags))

    def example(self) -> dict[str, str]:
        """The fields of a recipient for whom it holds."""
        return {name: values[0] for name, values in (("language", self.languages), ("tags", self.tags)) if values}


def _language(value: str) -> str:
    tag = plain_text(value)
    if not re.fullmatch(_LANGUAGE, tag):
        raise ValueError(f"{tag!r} is no language code; write e.g. de, en or fr")
    return tag


def _tag(value: str) -> str:
    tag = plain_text(value)
    if _BETWEEN_TAGS.search(tag):
        raise ValueError("names several tags; write them as a list: [presse, kommunen]")
    return tag


def _one_or_several(one: Callable[[str], str]) -> WrapValidator:
    """One value stands for a list of it. A key without a value would leave a condition out: nobody means that."""

    def read(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        if value is None:
            raise ValueError("is empty; write a value or a list of values, or leave the key out")
        return [one(value)] if isinstance(value, str) else handler(value)

    return WrapValidator(read)


def _schema(item: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]})


_Languages = Annotated[
    Annotated[list[Annotated[str, AfterValidator(_language)]], Field(min_length=1)] | None,
    _one_or_several(_language),
    _schema({"type": "string", "pattern": f"^{_LANGUAGE}$"}),
]
_Tags = Annotated[
    Annotated[list[Annotated[str, AfterValidator(_tag)]], Field(min_length=1)] | None,
    _one_or_several(_tag),
    _schema({"type": "string", "minLength": 1}),
]


class Only(Model):
    """For which recipients a block is: ``{language: de}``, ``{tag: [presse, kommunen]}``, or both, which must both hold."""

    noun = "only"

    language: _Languages = Field(None, description="a language or a list of them, e.g. de or [de, en]")
    tag: _Tags = Field(None, description="a tag or a list of them, of which a recipient has at least one")

    @model_validator(mode="after")
    def _says_for_whom(self) -> "Only":
        if self.language is None and self.tag is None:
            raise ValueError("says nobody; write language: de, tag: presse or both, or leave only out")
        return self

    @property
    def condition(self) -> Condition:
        """The same condition however it is written."""
        languages, tags = self.language or (), self.tag or ()
        return Condition(tuple(sorted({primary(language) for language in languages})), tuple(sorted({_tag_key(t) for t in tags})))


def _not_empty(value: Any) -> Any:
    """Nobody who writes ``only:`` means everyone."""
    if value is None:
        raise ValueError("is empty; write e.g. {language: de} or {tag: presse}, or leave only out")
    return value


OnlyFor = Annotated[Only | None, BeforeValidator(_not_empty)]
