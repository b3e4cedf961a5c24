"""CSS goes from a style sheet into the elements' ``style`` attributes, by premailer behind a wrapper that spares MJML's output.

With its defaults premailer loses the doctype, the dark-mode rules and the pixel widths, and fetches ``@import``
(rendering.md §2.1 lists each, and a test stands for each).
"""

import logging
import re
from functools import cache
from typing import Any

from newsletter.compose.mjml import MjmlError
from newsletter.compose.tighten import tighten

_DOCTYPE = re.compile(r"\A\s*<!doctype html>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_STYLE = re.compile(r"<style(?=[\s>])")
_MARKER = ' data-premailer="ignore"'
_KEPT_ATTRIBUTES = ["width", "height", "align", "valign", "bgcolor"]


def inline_css(document: str, css: str) -> str:
    """Give ``document`` (MJML's HTML) with the rules of ``css`` inlined; the rules in its own ``<style>`` elements stay there.

    Raises :class:`MjmlError` for CSS that would load something from elsewhere. Rules with pseudo-classes or ``@media`` in ``css``
    are dropped: they cannot be inlined and belong into a plain ``<mj-style>``.
    """
    if "@import" in css.lower():
        raise MjmlError("@import would be fetched from the network; write the rules into the layout")
    marked = _mark_styles(_DOCTYPE.sub("<!DOCTYPE html>", document, count=1))
    return tighten(_transform(marked, css).replace(_MARKER, ""))


@cache
def _premailer() -> Any:
    """premailer's class, set up once a process: nothing is fetched (``allow_network=False`` alone does not stop it), colours stay
    six digits (H10), and the rules of a layout are read once, which takes longer than to apply them.
    """
    import cssutils
    from premailer import Premailer

    cssutils.util._defaultFetcher = lambda url: None  # noqa: ARG005
    cssutils.ser.prefs.minimizeColorHash = False

    class Reader(Premailer):  # type: ignore[misc] # premailer has no types
        read: dict[tuple[str, int], Any] = {}  # noqa: RUF012 - shared on purpose

        def _parse_style_rules(self, css_body: str, ruleset_index: int) -> Any:
            key = (css_body, ruleset_index)
            rules = self.read.get(key) or super()._parse_style_rules(css_body, ruleset_index)
            if len(self.read) > 16:  # a preview whose layout is being edited
                self.read.clear()
            self.read[key] = rules
            return rules

    return Reader


def _transform(document: str, css: str) -> str:
    premailer = _premailer()(
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
