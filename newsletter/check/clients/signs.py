"""HTML and CSS become signs: short words for what a mail program may not know, as ``gap``, ``display: grid`` or ``<details>``.

| sign | stands for |
|---|---|
| ``gap``, ``display: grid`` | a property; one of its keywords |
| ``calc()``, ``1rem``, ``rgb(0 0 0)`` | a function, a unit, a colour without commas, in any value |
| ``margin: -1``, ``!important`` | a margin below zero; a declaration in a ``style`` attribute that says so |
| ``:hover``, ``nesting`` | a pseudo-class or -element (with one colon), a rule inside a rule |
| ``<style>`` | a rule that could be written into the elements |
| ``@supports``, ``@media hover`` | an at-rule, a condition of one |
| ``<details>``, ``[hidden]`` | an element, an attribute |
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from newsletter.check.clients.css import Declaration, Rule, Token, declarations, rules

_COLOURS = {"rgb(", "rgba("}
#: Values by which a property says nothing that anybody could miss.
_NOTHING = {"none", "normal", "auto", "initial", "inherit", "unset", "0", "0px", "0%"}
#: Where 0 hides something.
_ZERO_COUNTS = {"opacity", "max-height"}


class Sign(NamedTuple):
    """A sign, and the ``word`` that is written for it, to find it again."""

    sign: str
    word: str


def of_element(tag: str, attributes: Iterable[tuple[str, str]]) -> Iterator[Sign]:
    """What an element shows of itself. The attributes of MJML's elements count as declarations."""
    yield Sign(f"<{tag}>", f"<{tag}")
    for name, value in attributes:
        if name == "style":
            yield from of_style(value)
        elif tag.startswith("mj-"):
            known = of_style(f"{'background-image' if name == 'background-url' else name}: {value}")
            yield from (Sign(sign.sign, name) for sign in known)
        yield Sign(f"[{name}]", name)


@lru_cache(maxsize=4096)
def of_style(style: str) -> tuple[Sign, ...]:
    """The signs of a ``style`` attribute."""
    found: list[Sign] = []
    for declaration in declarations(style):
        found += _of_declaration(declaration)
        if declaration.important:
            found.append(Sign("!important", declaration.name))
    return tuple(found)


@lru_cache(maxsize=64)
def of_sheet(sheet: str) -> tuple[Sign, ...]:
    """The signs of a ``<style>`` element, without what stands under a condition: who writes one knows that not all heed it."""
    return tuple(sign for rule in rules(sheet) for sign in _of_rule(rule))


def selector(rule: Rule) -> str:
    """What stands before the brace, blanks made one."""
    return " ".join("".join(token.text for token in rule.prelude).split())


def is_plain(rule: Rule) -> bool:
    """Whether a rule could be written into the elements: no condition, no state of an element."""
    return not rule.name and not any(token.text == ":" for token in rule.prelude)


def _of_rule(rule: Rule) -> Iterator[Sign]:
    if rule.name:
        yield Sign(rule.name, rule.name)
        depth = 0
        for token in rule.prelude:
            depth += token.text.endswith("(") - (token.text == ")")
            if depth and token.kind == "IDENT":
                yield Sign(f"{rule.name} {token.text.lower()}", token.text)
        return
    for before, token in zip(rule.prelude, rule.prelude[1:], strict=False):
        if before.text == ":" and token.kind in ("IDENT", "FUNCTION"):
            yield Sign(f":{token.text.lower().removesuffix('(')}", token.text)
    if is_plain(rule) and rule.declarations:
        yield Sign("<style>", selector(rule))
    if rule.rules:
        yield Sign("nesting", rule.rules[0].prelude[0].text if rule.rules[0].prelude else "")
    for declaration in rule.declarations:
        yield from _of_declaration(declaration)


def _of_declaration(declaration: Declaration) -> Iterator[Sign]:
    name, value = declaration.name, declaration.value
    if name in _ZERO_COUNTS or not all(token.text.lower() in _NOTHING or token.kind == "S" for token in value):
        yield Sign(name, name)
    for number, token in enumerate(value):
        match token.kind:
            case "IDENT":
                yield Sign(f"{name}: {token.text.lower()}", name)
            case "FUNCTION":
                yield Sign(f"{token.text.lower()})", name)
                if token.text.lower() in _COLOURS and not _has_comma(value[number + 1 :]):
                    yield Sign("rgb(0 0 0)", name)
            case "DIMENSION":
                yield Sign(f"1{token.text.lstrip('+-.0123456789').lower()}", name)
            case "URI" if name == "background":
                yield Sign("background-image", name)
    if name.startswith("margin") and any(_is_negative(token) for token in value):
        yield Sign("margin: -1", name)


def _has_comma(tokens: tuple[Token, ...]) -> bool:
    """Whether a function's arguments are set apart by commas; with a function in them it cannot be told: yes."""
    for token in tokens:
        if token.text == "," or token.kind == "FUNCTION":
            return True
        if token.text == ")":
            return False
    return True


def _is_negative(token: Token) -> bool:
    number = token.text
    return (
        token.kind in ("DIMENSION", "PERCENTAGE", "NUMBER")
        and number[:1] == "-"
        and any(digit in number for digit in "123456789")
    )
