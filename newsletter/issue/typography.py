"""Straight quotation marks, typed dashes and loose blanks become the language's own, in the tokens of running text.

Quotation marks and apostrophes are markdown-it's ``smartquotes`` rule; what stands in code, addresses and merge fields is kept.
Applied to its own result it changes nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore, smartquotes
from markdown_it.token import Token

#: CLDR 46, delimiters: outer and inner quotation marks. A language that is not here keeps what was typed.
_QUOTES = {
    "„“‚‘": "de dsb hsb cs sk sl hr bg",
    "“”‘’": "en it pt nl da tr zh cy ga",
    "«»‹›": "de-CH de-LI fr-CH it-CH rm",
    "«»“”": "es ca gl eu pt-PT el",
    "«»„“": "ru uk be",
    "«»‘’": "nb nn no",
    "„”«»": "pl ro",
    "„”»«": "hu",
    "„“‘’": "lt et",
    "””’’": "sv fi he",
}
_NARROW, _FIXED = "\u202f", "\u00a0"
_BY_TAG = {tag: tuple(marks) for marks, tags in _QUOTES.items() for tag in tags.split()}
_BY_TAG["fr"] = (f"«{_NARROW}", f"{_NARROW}»", "“", "”")
#: Addresses, of which nothing is changed; what ends the sentence behind one is not part of it.
_ADDRESS = re.compile(r"((?:https?://|www\.|mailto:|tel:)\S*[^\s\"'.,;:!?)\]]|[^\s\"'<>()][^\s\"<>()]*@[\w.-]+\w)")
#: Noncharacters in place of quotation marks that stay: those of addresses, and inches and feet.
_KEPT = {'"': "\ufdd6", "'": "\ufdd7"}
_KEEP, _UNKEEP = str.maketrans(_KEPT), str.maketrans({kept: mark for mark, kept in _KEPT.items()})
_FEET = re.compile(r"(?<=\d)'(?=\s?\d)|(?<=\d)'(?!\w)")
_INCHES = re.compile(r'(?<=\d)"')
_OPENING = re.compile(r"(?<!\w)'(?=\w)")

_GAP = "[ \n]"
_ANYWHERE = (
    (re.compile(r"(?<![./\\])\.{3}(?![./\\])"), "…"),
    (re.compile(rf"(?:(?<=[^\s\-–—])|\A)({_GAP})-{{1,3}}(?={_GAP}(?:[^\s\-–—]|\Z))"), r"\1–"),
    (re.compile(r"(?<=\d)--(?=\d)"), "–"),
    (re.compile(r"(?<=[§¶]) (?=\d)"), _FIXED),
    (
        re.compile(
            r"(?<=\d) (?=(?:%|‰|€|\$|£|°C|(?:[kcmµn]?m|[km]?g|[mhc]?l|ha|km/h|[kMGT]?W|[kMGT]?Wh|[kMGT]?Hz|[kMGT]B|Mbit/s|Gbit/s"
            r"|m²|m³|km²|EUR|CHF|USD|min|Uhr|Euro)(?!\w))(?![^\s]*[-'’]\w))"
        ),
        _FIXED,
    ),
)
_WORD_DASH = re.compile(r"(?<=[^\W\d_])-{2,3}(?=[^\W\d_])")
#: Blanks of abbreviations, at which no line may break, by language.
_JOINED = {
    "de": (
        re.compile(r"\b(?:z\. [BTZ]|d\. h|u\. [aUÄ]|o\. [Äg]|i\. d\. R|i\. [AV]|v\. a|s\. [ou]|m\. E|u\. v\. m)\."),
        re.compile(r"\b(?:Dr|Prof|Hr|Fr|St)\. (?=[^\W\d_a-zäöü])"),
        re.compile(r"\b(?:Nr|Abs|Art|Bd|Kap|Abb|Tab|S|Mio|Mrd)\. (?=\d|€|Euro\b)"),
        re.compile(r"(?<=\d) (?:Mio|Mrd)\."),
    ),
    "en": (
        re.compile(r"\b(?:Dr|Prof|Mr|Mrs|Ms|St)\.? (?=[A-Z])"),
        re.compile(r"\b(?:No|Nos|Fig|Vol|pp?|Sec|Art)\. (?=\d)"),
        re.compile(r"(?<=\d) (?=[ap]\.m\.)"),
    ),
    "fr": (
        re.compile(r"(?<=[^\s]) (?=[;!?»](?:\s|\Z))"),
        re.compile(r"(?<=«) (?=\S)"),
        re.compile(r"\b(?:Dr|M|MM|Mme|Mlle) (?=[^\W\d_a-z])|\b(?:M|MM|n)\. (?=[A-Z])|\bn[°º] (?=\d)"),
    ),
}
#: French sets a narrow blank beside these marks, every other one is of full width.
_BESIDE_MARKS = re.compile("\u00a0(?=[;!?»])|(?<=«)\u00a0")


@dataclass(frozen=True, slots=True)
class Typography:
    """How a language is set; ``tag`` is BCP 47."""

    tag: str

    @property
    def quotes(self) -> tuple[str, ...] | None:
        """Outer and inner quotation marks, opening and closing; None where the language keeps what was typed."""
        return _BY_TAG.get(self.tag) or _BY_TAG.get(self._language)

    @property
    def _language(self) -> str:
        return self.tag.split("-")[0]

    def within(self, tag: str) -> "Typography":
        """The typography of a passage: its language's, or this one where nothing is known of that."""
        inner = Typography(tag)
        return self if inner.quotes is None else inner

    def prose(self, text: str) -> str:
        """Text without its addresses: dashes, dots and blanks."""
        for pattern, replacement in _ANYWHERE:
            text = pattern.sub(replacement, text)
        text = _WORD_DASH.sub("—" if self._language == "en" else " – ", text)
        for pattern in _JOINED.get(self._language, ()):
            text = pattern.sub(lambda match: match[0].replace(" ", _FIXED) or _FIXED, text)
        return _BESIDE_MARKS.sub(_NARROW, text) if self._language == "fr" else text


def set_type(tokens: Sequence[Token], typography: Typography) -> list[Token]:
    """Inline tokens with their texts set; new ones, the old stay. Passages in another language are set by its rules."""
    outer, passages = _folded(tokens, typography)
    if typography.quotes is not None:
        _set_quotes(outer, typography.quotes)
    for place, token in enumerate(outer):
        if token.type == "text":
            before = "\n" if place and outer[place - 1].type == "softbreak" else ""
            after = "\n" if outer[place + 1 : place + 2] and outer[place + 1].type == "softbreak" else ""
            pieces = _ADDRESS.split(before + token.content + after)
            pieces[::2] = map(typography.prose, pieces[::2])
            whole = "".join(pieces)
            token.content = whole[len(before) : len(whole) - len(after)]
    return [part for token in outer for part in passages.get(id(token), (token,))]


def _folded(tokens: Sequence[Token], typography: Typography) -> tuple[list[Token], dict[int, list[Token]]]:
    """Copies of the tokens with one word in place of each passage, and what that stands for."""
    outer: list[Token] = []
    passages: dict[int, list[Token]] = {}
    place = 0
    while place < len(tokens):
        token = replace(tokens[place])
        place += 1
        if token.type == "passage_open":
            end = _closing(tokens, place)
            inside = set_type(tokens[place:end], typography.within(str(token.attrs["lang"])))
            word = Token("passage", "", 0, content="x", level=token.level)
            passages[id(word)] = [token, *inside, replace(tokens[end])]
            outer.append(word)
            place = end + 1
        else:
            outer.append(token)
    return outer, passages


def _closing(tokens: Sequence[Token], place: int) -> int:
    depth = 1
    while depth:
        depth += {"passage_open": 1, "passage_close": -1}.get(tokens[place].type, 0)
        place += 1
    return place - 1


def _set_quotes(tokens: list[Token], quotes: tuple[str, ...]) -> None:
    texts = [token for token in tokens if token.type == "text"]
    whole = "".join(token.content for token in texts)
    if not any(mark in whole for mark in _KEPT):
        return
    patterns = list(_measures(whole))
    for token in texts:
        pieces = _ADDRESS.split(token.content)
        pieces[1::2] = (address.translate(_KEEP) for address in pieces[1::2])
        token.content = "".join(pieces)
        for pattern in patterns:
            token.content = pattern.sub(lambda match: _KEPT[match[0]], token.content)
    inline = Token("inline", "", 0, content=whole, children=tokens)
    before = None
    while before != (before := [token.content for token in texts]):  # a mark inside a pair may find its other half only then
        smartquotes(StateCore("", _engine(quotes), {}, [inline]))
    for token in texts:
        token.content = _OPENING.sub("’", token.content).translate(_UNKEEP)  # '90s: an apostrophe that nothing closes


def _measures(text: str) -> Iterator[re.Pattern[str]]:
    """What finds feet and inches, where they are no end of a quotation."""
    if not _OPENING.search(text):
        yield _FEET
    inches = len(_INCHES.findall(text))
    if inches % 2 and text.count('"') % 2:
        yield _INCHES


@cache
def _engine(quotes: tuple[str, ...]) -> MarkdownIt:
    return MarkdownIt("zero", {"typographer": True, "quotes": list(quotes)})
