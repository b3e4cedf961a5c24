"""Markdown tokens become the HTML that stands inside an ``mj-text``: well-formed as XML, with sentinels for merge fields."""

from collections.abc import Callable, Iterator, Sequence
from html import escape

from markdown_it.token import Token

from newsletter.compose.foreign import CLOSE, opened
from newsletter.issue.markdown import Markdown
from newsletter.issue.text import MergeField

_SIMPLE = {"paragraph", "bullet_list", "list_item", "blockquote", "em", "strong", "s", "thead", "tbody", "tr"}
#: S1: what a character reference (``&#12;``) can smuggle in is a blank; no XML can hold it, and it would break the text part.
_CONTROLS = dict.fromkeys((*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xFFFE, 0xFFFF), " ")
Field = Callable[[MergeField], str]


def markdown_html(text: Markdown, field: Field, heading: int = 3) -> str:
    """HTML of a Markdown text. ``field`` gives the sentinel of a merge field, ``heading`` the highest level of headings (A4)."""
    return "".join(_Writer(field, heading).blocks(text.tokens))


def literal(token: Token) -> str:
    """The characters of a text or code token, not yet escaped, without control characters (S1)."""
    return token.content if token.content.isprintable() else token.content.translate(_CONTROLS)


def without_empty_headings(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens but for a ``#`` with nothing behind it: a heading without words only misleads (A4)."""
    skip = 0
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and not any(child.content.strip() for child in tokens[place + 1].children or ()):
            skip = 3  # heading_open, inline, heading_close
        if skip:
            skip -= 1
        else:
            yield token


class _Writer:
    """Writes one Markdown text; remembers the headings that are open above the next one."""

    def __init__(self, field: Field, heading: int) -> None:
        self._field = field
        self._top = heading
        self._headings: list[tuple[int, int]] = []  # as written, as shown

    def blocks(self, tokens: Sequence[Token]) -> list[str]:
        out: list[str] = []
        for token in without_empty_headings(tokens):
            if token.type == "inline":
                out += [self._one(child) for child in token.children or ()]
            elif not token.hidden:  # the paragraph of a tight list item is
                out.append(self._one(token))
        return out

    def _one(self, token: Token) -> str:
        kind = token.type.removesuffix("_open").removesuffix("_close")
        if kind in _SIMPLE:
            return f"<{token.tag}>" if token.nesting == 1 else f"</{token.tag}>"
        match kind:
            case "text" | "text_special":
                return escape(literal(token), quote=False)
            case "merge_field":
                return self._field(token.meta["field"])
            case "passage":  # A2
                return opened(str(token.attrs["lang"])) if token.nesting == 1 else CLOSE
            case "softbreak":
                return "\n"
            case "hardbreak":
                return "<br />"
            case "hr":
                return "<hr />"
            case "code_inline":
                return f"<code>{escape(literal(token), quote=False)}</code>"
            case "fence" | "code_block":
                return f"<pre><code>{escape(literal(token), quote=False)}</code></pre>"
            case "link":
                return f'<a href="{escape(str(token.attrs["href"]))}">' if token.nesting == 1 else "</a>"
            case "heading":
                return self._heading(token)
            case "ordered_list":
                start = token.attrs.get("start") if token.nesting == 1 else None
                return f'<ol start="{start}">' if start is not None else "<ol>" if token.nesting == 1 else "</ol>"
            case "table":  # H6: data keeps its th and scope and gets no role
                table = '<table class="data" border="0" cellpadding="6" cellspacing="0" width="100%">'
                return table if token.nesting == 1 else "</table>"
            case "th":
                return f'<th scope="col"{_alignment(token)}>' if token.nesting == 1 else "</th>"
            case "td":
                return f"<td{_alignment(token)}>" if token.nesting == 1 else "</td>"
        raise ValueError(f"Markdown token {token.type} has no HTML")  # a new rule in issue/markdown.py needs its HTML here

    def _heading(self, token: Token) -> str:
        """No level is left out, whatever the number of ``#`` (A4): what stands below a heading is one level below it."""
        if token.nesting == -1:
            return f"</h{self._headings[-1][1]}>"
        written = int(token.tag[1])
        while self._headings and self._headings[-1][0] >= written:
            self._headings.pop()
        shown = min(6, self._headings[-1][1] + 1) if self._headings else self._top
        self._headings.append((written, shown))
        return f"<h{shown}>"


def _alignment(token: Token) -> str:
    """``|---:|`` as a style of its own, which wins over the layout's rule for all cells."""
    style = str(token.attrs.get("style", ""))
    return f' style="{style}"' if style in ("text-align:right", "text-align:center") else ""
