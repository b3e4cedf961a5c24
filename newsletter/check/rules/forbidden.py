"""What no mail may hold: scripts, frames, forms, what is loaded from elsewhere, broken style sheets (H2, H3)."""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Page

_ACTIVE = ("script", "iframe", "frame", "object", "embed", "applet", "video", "audio", "svg", "canvas")
_ASKING = ("form", "input", "button", "select", "textarea")
#: What a page must have somewhere before its elements are worth a look.
_MAY_RUN = re.compile(r"\bon[a-z]{3,}\s*=|(?:java|vb)script", re.IGNORECASE)
_MAY_HOLD = re.compile(r"\b(?:data|file)\s*:", re.IGNORECASE)
_SIZE_OF_STYLES = 16_384


@rule(
    "H2-forbidden-element",
    "error",
    "<{name}> does not work in mails; mail programs remove it or move the mail to spam",
    "take it out and link to a web page instead",
    "caniemail",
    Page,
)
def forbidden_element(page: Page) -> Iterator[Found]:
    """Scripts, frames, forms, films; and what leads the reader away: ``<base>``, a ``<meta>`` that reloads."""
    for view in page.views:
        reloading = any(meta.get("http-equiv", "").lower() == "refresh" for meta in view.iter("meta"))
        names = {str(element.tag) for element in view.iter(*_ACTIVE, *_ASKING, "base")} | ({"meta"} if reloading else set())
        for name in sorted(names):
            yield found(page.origin.markup(f"<{name}"), name=name)


@rule(
    "H2-runs-script",
    "error",
    "“{attribute}” would run a script; mail programs block that, or the whole mail",
    "delete it",
    "caniemail; OWASP XSS",
    Page,
)
def runs_script(page: Page) -> Iterator[Found]:
    """``onclick=`` and ``javascript:``."""
    if not _MAY_RUN.search(page.html):
        return
    for name, value in _attributes(page):
        if re.match(r"on[a-z]{3,}$", name):
            yield found(page.origin.markup(f"{name}="), attribute=name)
        elif re.match(r"\s*(?:javascript|vbscript)\s*:", value, re.IGNORECASE):
            yield found(page.origin.markup(value), attribute=f"{name}={value[:40]}")


@rule(
    "H2-content-in-address",
    "error",
    "the address “{address}” holds a file of its own or one of this computer; readers see nothing",
    "use a picture of the issue, or the https address of the file",
    "caniemail: data: is blocked by Gmail",
    Page,
)
def content_in_address(page: Page) -> Iterator[Found]:
    """``data:`` and ``file:``."""
    if not _MAY_HOLD.search(page.html):
        return
    for name, value in _attributes(page):
        if name in ("href", "src", "background") and re.match(r"\s*(?:data|file)\s*:", value, re.IGNORECASE):
            yield found(page.origin.markup(value[:200]), address=value[:40])
        elif name == "style" and (match := re.search(r"url\(\s*['\"]?((?:data|file):[^)]*)", value, re.IGNORECASE)):
            yield found(page.origin.markup(match[1][:40]), address=match[1][:40])


def _attributes(page: Page) -> Iterator[tuple[str, str]]:
    for view in page.views:
        for element in view.iter("*"):
            for name, value in element.attrib.items():
                yield str(name).lower(), str(value)


@rule(
    "H2-loads-style",
    "error",
    "the look of the mail is loaded from elsewhere ({what}); most programs do not, and the others tell a stranger who reads it",
    "write the rules into the layout, and use fonts that every computer has",
    "caniemail; TDDDG § 25",
    Page,
)
def loads_style(page: Page) -> Iterator[Found]:
    """``@import``, ``<link rel=stylesheet>`` and fonts from a server."""
    for view in page.views:
        for sheet in _sheets(view):
            for what in re.findall(r"@import|@font-face", sheet.text or "", re.IGNORECASE):
                yield found(page.origin.layout(), what=what)
        if any("stylesheet" in link.get("rel", "").lower() for link in view.iter("link")):
            yield found(page.origin.layout(), what="<link>")


@rule(
    "H3-styles-too-large",
    "error",
    "the style sheets in the head have {size} bytes; Gmail drops all of them from 16,384",
    "shorten the layout's mj-style, or mark it inline",
    "email-bugs #90",
    Page,
)
def styles_too_large(page: Page) -> Iterator[Found]:
    """Counted as Gmail does, all together."""
    size = sum(len((sheet.text or "").encode()) for sheet in _sheets(page.modern))
    if size > _SIZE_OF_STYLES:
        yield found(page.origin.layout(), size=f"{size:,}")


@rule(
    "H3-style-outside-head",
    "error",
    "a <style> stands in the body of the mail, where many programs show it as text or drop it",
    "move the rules into an mj-style in the layout's head",
    "caniemail",
    Page,
)
def style_outside_head(page: Page) -> Iterator[Found]:
    """Of the views, Outlook's has style elements of its own."""
    for view in page.views:
        if any(next(sheet.iterancestors("head"), None) is None for sheet in _sheets(view)):
            yield found(page.origin.layout())


@rule(
    "H3-style-broken",
    "error",
    "a style sheet has a mistake ({what}); Gmail drops the whole of it",
    "correct the layout's mj-style",
    "email-bugs #90; caniemail",
    Page,
)
def style_broken(page: Page) -> Iterator[Found]:
    """One error costs the block: braces, @media inside @media, colours in the new notation."""
    for sheet in _sheets(page.modern):
        for what in _style_mistakes(sheet.text or ""):
            yield found(page.origin.layout(), what=what)


def _style_mistakes(css: str) -> Iterator[str]:
    plain = re.sub(r"/\*.*?\*/|\"[^\"]*\"|'[^']*'", "", css, flags=re.DOTALL)
    depth = 0
    for mark in re.findall(r"@media|[{}]", plain):
        if mark == "@media" and depth:
            yield "@media inside @media"
        depth += {"{": 1, "}": -1}.get(mark, 0)
        if depth < 0:
            break
    if depth:
        yield "{" if depth > 0 else "}"
    if match := re.search(r"(?:rgb|hsl)a?\([^),]*/[^)]*\)", plain):
        yield match[0]


def _sheets(view: HtmlElement) -> list[HtmlElement]:
    return list(view.iter("style"))
