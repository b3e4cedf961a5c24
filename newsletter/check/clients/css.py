"""CSS text becomes declarations and rules, token by token; nothing that stands in it is an error (CSS Syntax 3 §5).

The tokens are cssutils'. Its parser is not used: it takes ten times as long, and drops what it does not know, which is just what
is looked for here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, NamedTuple


class Token(NamedTuple):
    """A token: its kind in cssutils' words (``IDENT``, ``FUNCTION``, ``DIMENSION`` …) and its text."""

    kind: str
    text: str


@dataclass(frozen=True)
class Declaration:
    """``name: value``. The name is in small letters; ``!important`` is no part of the value."""

    name: str
    value: tuple[Token, ...]
    important: bool


@dataclass(frozen=True)
class Rule:
    """A style rule or an at-rule: what stands before the brace, and what stands inside."""

    prelude: tuple[Token, ...]
    declarations: list[Declaration] = field(default_factory=list)
    rules: "list[Rule]" = field(default_factory=list)

    @property
    def name(self) -> str:
        """``@media`` of an at-rule, in small letters; nothing of a style rule."""
        first = self.prelude[0].text if self.prelude else ""
        return first.lower() if first.startswith("@") else ""


@lru_cache(maxsize=4096)
def declarations(style: str) -> tuple[Declaration, ...]:
    """What a ``style`` attribute declares."""
    return tuple(_read(style).declarations)


@lru_cache(maxsize=64)
def rules(sheet: str) -> tuple[Rule, ...]:
    """The rules of a ``<style>`` element."""
    return tuple(_read(sheet).rules)


@cache
def _tokenizer() -> Any:
    from cssutils.tokenize2 import Tokenizer

    return Tokenizer(doComments=False)


def _read(text: str) -> Rule:
    whole = Rule(())
    tokens = (Token(kind, said) for kind, said, *_ in _tokenizer().tokenize(text))
    _fill(whole, tokens)
    return whole


def _fill(block: Rule, tokens: Iterator[Token]) -> None:
    """Read tokens into a block and the blocks inside it."""
    open_blocks = [block]
    found: list[Token] = []
    depth = 0
    for token in tokens:
        if token.kind in ("FUNCTION", "CHAR") and token.text.endswith(("(", "[")):
            depth += 1
        elif token.text in (")", "]"):
            depth = max(0, depth - 1)
        if token.text == "{":
            inner = Rule(_trimmed(found))
            open_blocks[-1].rules.append(inner)
            open_blocks.append(inner)
        elif token.text == "}" or (token.text == ";" and not depth):
            _declare(open_blocks[-1], found)
            if token.text == "}" and len(open_blocks) > 1:
                open_blocks.pop()
        else:
            found.append(token)
            continue
        found, depth = [], 0
    _declare(open_blocks[-1], found)


def _declare(block: Rule, tokens: list[Token]) -> None:
    said = _trimmed(tokens)
    if len(said) < 2 or said[0].kind != "IDENT":
        return
    rest = _trimmed(said[1:])
    if not rest or rest[0].text != ":":
        return
    value = _trimmed(rest[1:])
    marks = [number for number, token in enumerate(value) if token.text == "!"]
    important = bool(marks) and any(token.text.lower() == "important" for token in value[marks[-1] :])
    value = _trimmed(value[: marks[-1]]) if important else value
    block.declarations.append(Declaration(said[0].text.lower(), value, important))


def _trimmed(tokens: "list[Token] | tuple[Token, ...]") -> tuple[Token, ...]:
    """Without the blanks around them."""
    start, end = 0, len(tokens)
    while start < end and tokens[start].kind == "S":
        start += 1
    while end > start and tokens[end - 1].kind == "S":
        end -= 1
    return tuple(tokens[start:end])
