"""A page becomes the features that it uses and that somebody may not know, less those that every mail of ours has.

What MJML and the program's layouts write anyway is the baseline (``baseline.json``, made by ``docs/client_baseline.py``): they
are built so that nothing is lost without it. It is subtracted per feature and element: padding of a list is no finding, padding
of a paragraph is one.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

from lxml.html import HtmlElement

from newsletter.check.clients.css import Rule, rules
from newsletter.check.clients.feature import Feature
from newsletter.check.clients.features import FEATURES, by_sign
from newsletter.check.clients.signs import Sign, is_plain, of_element, of_sheet, selector
from newsletter.check.subject import style

BASELINE = Path(__file__).with_name("baseline.json")


@cache
def baseline() -> Mapping[str, frozenset[str]]:
    """The elements that each feature is known to do no harm on, by the feature's key; of ``style`` the selectors."""
    return {key: frozenset(tags) for key, tags in json.loads(BASELINE.read_text(encoding="utf-8")).items()}


def unknown(page: HtmlElement) -> list[Feature]:
    """The features of a page beyond the baseline, each once, in the order of the table, without those that belong to another."""
    known = baseline()
    used = {key for key, tag in used_in(page) if tag not in known.get(key, ())}
    return [feature for feature in FEATURES.values() if feature.key in used and not used.intersection(feature.within)]


def used_in(page: HtmlElement) -> Iterator[tuple[str, str]]:
    """Every use of a feature in a page: its key and the element; of a rule that is lost with ``<style>`` its selector."""
    for element in page.iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag == "style":
            found = (feature for feature, _ in in_sheet(element.text or ""))
            yield from ((feature.key, "style") for feature in found if not feature.only and not feature.never)
            yield from (("style", selector(rule)) for rule in rules(element.text or "") if _is_needed(rule, page))
        else:
            attributes = tuple((str(name), str(value) if name == "style" else "") for name, value in element.attrib.items())
            yield from ((key, element.tag) for key in _keys(element.tag, attributes))


def in_element(element: HtmlElement) -> Iterator[tuple[Feature, Sign]]:
    """The features that an element uses, with what shows it."""
    tag = str(element.tag)
    signs = of_element(tag, ((str(name), str(value)) for name, value in element.attrib.items()))
    return ((feature, sign) for feature, sign in _features(signs) if feature.is_on(tag))


def in_sheet(sheet: str) -> Iterator[tuple[Feature, Sign]]:
    """The features that the rules of a style sheet use, whatever the elements; that the rules are lost is not among them."""
    return ((feature, sign) for feature, sign in _features(of_sheet(sheet)) if feature.key != "style")


def _features(signs: Iterable[Sign]) -> Iterator[tuple[Feature, Sign]]:
    index = _index()
    return ((feature, sign) for sign in signs for feature in index.get(sign.sign, ()))


@lru_cache(maxsize=4096)
def _keys(tag: str, attributes: tuple[tuple[str, str], ...]) -> frozenset[str]:
    return frozenset(feature.key for feature, _ in _features(of_element(tag, attributes)) if feature.is_on(tag))


@cache
def _index() -> Mapping[str, tuple[Feature, ...]]:
    return by_sign()


def _is_needed(rule: Rule, page: HtmlElement) -> bool:
    """Whether a rule says something of an element of this page that the element does not say itself."""
    if not is_plain(rule):
        return False
    names = {declaration.name for declaration in rule.declarations}
    said = ({*style(element), *_shorthands(style(element))} for element in _matches(selector(rule), page))
    return any(not names <= own for own in said)


def _shorthands(names: Iterable[str]) -> Iterator[str]:
    """What a shorthand stands for: ``margin`` says ``margin-top`` too."""
    sides = ("top", "right", "bottom", "left")
    for name in names:
        if name in ("margin", "padding", "border"):
            yield from (f"{name}-{side}" for side in sides)
        if name == "background":
            yield "background-color"


def _matches(words: str, page: HtmlElement) -> Iterable[HtmlElement]:
    path = _path(words)
    found = page.xpath(path) if path else []
    return found if isinstance(found, list) else []


@lru_cache(maxsize=256)
def _path(words: str) -> str:
    """A selector as XPath; nothing for what is no selector to cssselect: then nobody can say what it matches."""
    from cssselect import HTMLTranslator, SelectorError

    try:
        return HTMLTranslator().css_to_xpath(words)
    except SelectorError:
        return ""
