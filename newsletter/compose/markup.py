"""Markdown tokens become the HTML that stands inside an ``mj-text``: well-formed as XML, with sentinels for merge fields."""

from collections.abc import Callable, Sequence
from html import escape

from markdown_it.token import Token

from newsletter.issue.markdown import Markdown
from newsletter.issue.text import MergeField

_SIMPLE = {"paragraph", "bullet_list", "list_item", "blockquote", "em", "strong", "s", "thead", "tbody", "tr"}


def markdown_html(text: Markdown, field: Callable[[MergeField], str], heading: int = 3) -> str:
    """HTML of a Markdown text. ``field`` gives the sentinel of a merge field, ``heading`` the level that ``#`` becomes (A4)."""
    return "".join(_blocks(text.tokens, field, heading))


def _blocks(tokens: Sequence[Token], field: Callable[[MergeField], str], heading: int) -> list[str]:
    out: list[str] = []
    for token in tokens:
        if token.type == "inline":
            out += _blocks(token.children or (), field, heading)
        elif token.hidden:  # the paragraph of a tight list item
            continue
        else:
            out.append(_one(token, field, heading))
    return out


def _one(token: Token, field: Callable[[MergeField], str], heading: int) -> str:
    kind = token.type.removesuffix("_open").removesuffix("_close")
    if kind in _SIMPLE:
        return _tag(token)
    match kind:
        case "text" | "text_special":
            return escape(token.content, quote=False)
        case "merge_field":
            return field(token.meta["field"])
        case "softbreak":
            return "\n"
        case "hardbreak":
            return "<br />"
        case "hr":
            return "<hr />"
        case "code_inline":
            return f"<code>{escape(token.content, quote=False)}</code>"
        case "fence" | "code_block":
            return f"<pre><code>{escape(token.content, quote=False)}</code></pre>"
        case "link":
            return f'<a href="{escape(str(token.attrs["href"]))}">' if token.nesting == 1 else "</a>"
        case "heading":
            level = min(6, heading + int(token.tag[1]) - 1)
            return f"<h{level}>" if token.nesting == 1 else f"</h{level}>"
        case "ordered_list":
            start = token.attrs.get("start") if token.nesting == 1 else None
            return (f'<ol start="{start}">' if start is not None else "<ol>") if token.nesting == 1 else "</ol>"
        case "table":
            return '<table border="0" cellpadding="6" cellspacing="0" width="100%">' if token.nesting == 1 else "</table>"
        case "th":
            return '<th scope="col" align="left">' if token.nesting == 1 else "</th>"
        case "td":
            return _tag(token)
    raise ValueError(f"Markdown token {token.type} has no HTML")  # a new rule in issue/markdown.py needs its HTML here


def _tag(token: Token) -> str:
    return f"<{token.tag}>" if token.nesting == 1 else f"</{token.tag}>"
