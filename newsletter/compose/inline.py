"""CSS goes from a style sheet into the elements' ``style`` attributes, by premailer behind a wrapper that spares MJML's output.

With its defaults premailer loses the doctype, the dark-mode rules and the pixel widths, and fetches ``@import``
(rendering.md §2.1 lists each, and a test stands for each).
"""

import logging
import re
from functools import cache

from newsletter.compose.mjml import MjmlError

_DOCTYPE = re.compile(r"\A\s*<!doctype html>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_STYLE = re.compile(r"<style(?=[\s>])")
_MARKER = ' data-premailer="ignore"'
_SINGLE_QUOTED = re.compile(r" style='([^']*)'")
_KEPT_ATTRIBUTES = ["width", "height", "align", "valign", "bgcolor"]


def inline_css(document: str, css: str) -> str:
    """Give ``document`` (MJML's HTML) with the rules of ``css`` inlined; its own ``<style>`` blocks stay as they are.

    Raises :class:`MjmlError` for CSS that would load something from elsewhere. Rules with pseudo-classes or ``@media`` in ``css``
    are dropped: they cannot be inlined and belong into a plain ``<mj-style>``.
    """
    if "@import" in css.lower():
        raise MjmlError("@import would be fetched from the network; write the rules into the layout")
    marked = _mark_styles(_DOCTYPE.sub("<!DOCTYPE html>", document, count=1))
    done = _transform(marked, css).replace(_MARKER, "")
    return _SINGLE_QUOTED.sub(_double_quoted, done)


@cache
def _prepare_cssutils() -> None:
    """Once a process: nothing is fetched (``allow_network=False`` alone does not stop it), colours stay six digits (H10)."""
    import cssutils

    cssutils.util._defaultFetcher = lambda url: None  # noqa: ARG005
    cssutils.ser.prefs.minimizeColorHash = False


def _transform(document: str, css: str) -> str:
    from premailer import Premailer

    _prepare_cssutils()
    premailer = Premailer(
        document,
        css_text=[css],
        keep_style_tags=False,
        disable_leftover_css=True,
        strip_important=False,
        remove_classes=False,
        disable_validation=True,
        align_floating_images=False,
        remove_unset_properties=False,
        disable_basic_attributes=_KEPT_ATTRIBUTES,
        allow_network=False,
        allow_loading_external_files=False,
        cssutils_logging_level=logging.CRITICAL,
    )
    return str(premailer.transform(pretty_print=False))


def _mark_styles(document: str) -> str:
    """Mark each ``<style>`` outside of comments to be left alone; one inside a comment for Outlook is no element anyway."""
    out, position = [], 0
    for comment in _COMMENT.finditer(document):
        out += [_STYLE.sub(f"<style{_MARKER}", document[position : comment.start()]), comment[0]]
        position = comment.end()
    out.append(_STYLE.sub(f"<style{_MARKER}", document[position:]))
    return "".join(out)


def _double_quoted(match: re.Match[str]) -> str:
    return ' style="' + match[1].replace('"', "'") + '"'
