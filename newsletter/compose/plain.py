"""Markdown tokens and lines become plain text of 72 columns: hanging lists, quoted quotes, links as numbered footnotes.

The text part is made from the model, never from the HTML (rendering.md §4).
"""

import re
import unicodedata
from collections.abc import Callable, Sequence

from markdown_it.token import Token

from newsletter.compose.markup import literal, without_empty_headings
from newsletter.compose.sentinel import Sentinels
from newsletter.issue.markdown import Markdown

COLUMNS = 72
#: Soft hyphens and the like go, a tab is a blank like any other.
_LAID_OUT = dict.fromkeys(map(ord, "\u00ad\u200b\ufeff\u2060")) | {ord("\t"): " "}
#: No-break blanks have done their work once the lines are broken.
_BLANKS = {0x00A0: " ", 0x202F: " "}
_DIALLING = re.compile(r"[\s().-]+")


class PlainText:
    """Writes one text part; remembers the links of its running text for the list at the end. ``columns`` is the widest line."""

    def __init__(self, sentinels: Sentinels, columns: int = COLUMNS) -> None:
        self._sentinels = sentinels
        self._columns = columns
        self._notes: list[str] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """The addresses that ``[1]``, ``[2]``, … stand for, in this order."""
        return tuple(self._notes)

    def note(self, url: str) -> str:
        """The mark of an address in running text: ``[1]``, the same for the same address."""
        if url not in self._notes:
            self._notes.append(url)
        return f"[{self._notes.index(url) + 1}]"

    def wrap(self, text: str, first: str = "", rest: str = "") -> str:
        """Lines of at most 72 columns, broken at blanks only: an address is never cut, a no-break space never broken at.

        ``first`` and ``rest`` stand before the first line and the others.
        """
        lines: list[str] = []
        for paragraph in (text if text.isprintable() else text.translate(_LAID_OUT)).split("\n"):
            current: list[str] = []
            used = 0
            for word in paragraph.split(" "):
                if not word:
                    continue
                width = self._width(word)
                if current and used + 1 + width > self._columns - len(rest if lines else first):
                    lines.append(" ".join(current))
                    current, used = [], 0
                current.append(word)
                used += width + (1 if used else 0)
            lines.append(" ".join(current))
        marked = [(rest if index else first) + line for index, line in enumerate(lines)]
        return "\n".join(line.translate(_BLANKS).rstrip(" ") for line in marked)

    def underline(self, text: str, stroke: str) -> str:
        """A heading: the wrapped text with a line of ``stroke`` under it."""
        wrapped = self.wrap(text)
        width = max(self._width(line) for line in wrapped.split("\n"))
        return f"{wrapped}\n{stroke * min(width, self._columns)}"

    def markdown(self, text: Markdown, prefix: str = "") -> str:
        """A Markdown text, each line after ``prefix``."""
        blocks = _Walk(self, text.tokens).blocks(prefix, prefix)
        return f"\n{prefix.rstrip()}\n".join(blocks)

    def inline(self, token: Token) -> str:
        """The words of one inline token, with links as footnotes."""
        out: list[str] = []
        links: list[tuple[str, int]] = []
        for child in token.children or ():
            match child.type:
                case "text" | "text_special" | "code_inline":
                    out.append(literal(child))
                case "merge_field":
                    out.append(self._sentinels.field(child.meta["field"]))
                case "softbreak":
                    out.append(" ")
                case "hardbreak":
                    out.append("\n")
                case "link_open":
                    links.append((str(child.attrs["href"]), len(out)))
                case "link_close":
                    url, start = links.pop()
                    out.append(self._reference("".join(out[start:]), url))
        return "".join(out)

    def _reference(self, words: str, url: str) -> str:
        """The footnote's mark, never at the start of a line; nothing where the words are the address itself."""
        return "" if _spelt_out(words.strip(), url) else f"\u00a0{self.note(url)}"

    def _width(self, text: str) -> int:
        return columns(self._sentinels.sample(text))


def columns(text: str) -> int:
    """How many columns of a terminal a line takes: none for a combining character, two for a wide one (UAX #11)."""
    if text.isascii() or max(text) < "\u0300":  # before the first combining or wide character
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.category(char) in ("Mn", "Me", "Cf") for char in text)


def _spelt_out(words: str, url: str) -> bool:
    scheme, _, rest = url.partition(":")
    match scheme:
        case "mailto":
            return words.removeprefix("mailto:") == rest
        case "tel":
            return _DIALLING.sub("", words) == _DIALLING.sub("", rest)
    return words.rstrip("/") in (url.rstrip("/"), rest.removeprefix("//").rstrip("/"))


class _Walk:
    """One walk over block tokens; gives finished blocks of lines."""

    def __init__(self, writer: PlainText, tokens: Sequence[Token]) -> None:
        self._writer = writer
        self._tokens = tuple(without_empty_headings(tokens))
        self._at = 0

    def blocks(self, first: str, rest: str, end: str | None = None) -> list[str]:
        """The blocks up to the token type ``end``; the first one starts with ``first``, every other line with ``rest``."""
        found: list[str] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token.type == end:
                break
            lead = rest if found else first
            block = self._block(token, lead, rest)
            if block is not None:
                found.append(block)
        return found

    def _block(self, token: Token, first: str, rest: str) -> str | None:
        wrap: Callable[[str, str, str], str] = self._writer.wrap
        match token.type:
            case "inline":
                return wrap(self._writer.inline(token), first, rest)
            case "bullet_list_open":
                return self._list(first, rest, token, None)
            case "ordered_list_open":
                return self._list(first, rest, token, int(token.attrs.get("start", 1)))
            case "blockquote_open":
                return f"\n{rest}>\n".join(self.blocks(first + "> ", rest + "> ", "blockquote_close")) or f"{first}>"
            case "hr":
                return first + "* * *"
            case "fence" | "code_block":
                lines = literal(token).rstrip("\n").split("\n")
                return "\n".join((rest if index else first) + "    " + line for index, line in enumerate(lines))
            case "table_open":
                return self._table(first, rest)
        return None  # what opens or closes a paragraph or a heading

    def _list(self, first: str, rest: str, opened: Token, number: int | None) -> str:
        end = opened.type.replace("_open", "_close")
        gap = f"\n{rest.rstrip()}\n" if self._is_loose(opened) else "\n"
        items: list[str] = []
        while (token := self._tokens[self._at]).type != end:
            self._at += 1
            if token.type == "list_item_open":
                mark = "- " if number is None else f"{number + len(items)}. "
                lead = (rest if items else first) + mark
                items.append(gap.join(self.blocks(lead, rest + " " * len(mark), "list_item_close")) or lead.rstrip())
        self._at += 1
        return gap.join(items)

    def _is_loose(self, opened: Token) -> bool:
        """Whether blank lines stand between the items, as the author wrote them: a tight list hides its paragraphs."""
        for token in self._tokens[self._at :]:
            if token.level == opened.level:
                return False
            if token.type == "paragraph_open" and token.level == opened.level + 2 and not token.hidden:
                return True
        return False

    def _table(self, first: str, rest: str) -> str:
        rows: list[str] = []
        cells: list[str] = []
        while (token := self._tokens[self._at]).type != "table_close":
            self._at += 1
            if token.type == "tr_open":
                cells = []
            elif token.type == "inline":
                cells.append(self._writer.inline(token))
            elif token.type == "tr_close":
                rows.append(self._writer.wrap(" | ".join(cells), rest if rows else first, rest + "  "))
        self._at += 1
        return "\n".join(rows)
