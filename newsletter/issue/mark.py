"""``{lang=en}`` behind words in square brackets says which language they are in (A2); here the braces become a BCP 47 tag."""

import re

from newsletter.issue.language_tag import language_tag

_LANGUAGE = re.compile(r"\{\s*lang\s*=\s*(?P<quote>[\"'“„]?)(?P<tag>[^\s\"'“”„{}]*)[\"'“”]?\s*\}")
#: What looks like a mark, so that a slip is told and not mailed: ``{en}``, ``{language: en}``, ``{.class}``.
_ATTEMPT = re.compile(
    r"\{(?!\{)\s*(?:lang(?:uage)?\b|[A-Za-z]+\s*=|[.#:]|[A-Za-z]{2}(?:[-_][A-Za-z]{2})?\s*\})[^{}\n]*\}?", re.IGNORECASE
)


def match_mark(text: str, position: int) -> re.Match[str] | None:
    """The braces at ``position``, where they are a mark or were meant to be one; any others are plain text."""
    return _LANGUAGE.match(text, position) or _ATTEMPT.match(text, position)


def marked_language(written: str) -> str:
    """The language of ``{lang=en}``. Raises ValueError for braces that say something else, or no known tag."""
    if (match := _LANGUAGE.fullmatch(written)) is None:
        tag = re.fullmatch(r"\{\s*(?:lang(?:uage)?\s*[:=]?\s*)?([A-Za-z]{2}(?:-[A-Za-z]{2})?)\s*\}", written)
        raise ValueError(f"{written} marks no language; did you mean {{lang={tag[1] if tag else 'en'}}}?")
    return language_tag(match["tag"])
