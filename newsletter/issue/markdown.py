"""Markdown that staff wrote becomes a stream of markdown-it tokens, merge fields among them."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema

from newsletter.issue.text import FieldSyntaxError, MergeField, match_field, text_schema


@dataclass(frozen=True, slots=True)
class Markdown:
    """Paragraphs, lists, quotes, emphasis and links. ``tokens`` is what markdown-it made of ``raw``.

    A merge field is an inline token of type ``merge_field`` whose ``meta["field"]`` is the :class:`MergeField`. Raw HTML is text.
    """

    raw: str
    tokens: tuple[Token, ...]
    fields: tuple[MergeField, ...]

    @classmethod
    def parse(cls, raw: str) -> "Markdown":
        """Read what staff wrote. Raises :class:`FieldSyntaxError` or ValueError (with ``offset`` where it is known)."""
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return text_schema(cls)
