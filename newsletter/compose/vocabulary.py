"""A layout's MJML template becomes a list of the tags and attributes in it that MJML has not, each with its line and column.

mrml says nothing of them: it writes an unknown tag into the mail and drops an unknown attribute. The words are those of npm's
mjml 5, less what mrml leaves out (rendering.md §1.1). The template is read as it stands, Jinja's parts blanked out.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from newsletter.problem import Problem

_PADDING = "padding padding-top padding-right padding-bottom padding-left"
_BORDER = "border border-top border-right border-bottom border-left"
_FONT = "color font-family font-size font-style font-weight line-height letter-spacing"
_BLOCK = f"{_PADDING} align container-background-color"
_LINK = "href name rel target"
_GROUND = "background-color background-url background-repeat background-size"
_GROUND += " background-position background-position-x background-position-y"
_SECTION = f"{_GROUND} {_BORDER} {_PADDING} border-radius direction full-width text-align text-padding"
_ICONS = "icon-align icon-height icon-position icon-unwrapped-alt icon-unwrapped-url icon-width icon-wrapped-alt icon-wrapped-url"
_WORDS = {
    "mjml": "lang dir",
    "mj-head": "",
    "mj-body": "background-color width",
    "mj-title": "",
    "mj-preview": "",
    "mj-style": "inline",
    "mj-font": "name href",
    "mj-breakpoint": "width",
    "mj-attributes": "",
    "mj-raw": "",
    "mj-wrapper": _SECTION,
    "mj-section": _SECTION,
    "mj-group": "background-color direction vertical-align width",
    "mj-column": f"{_BORDER} {_PADDING} background-color border-radius direction vertical-align width inner-background-color"
    " inner-border inner-border-top inner-border-right inner-border-bottom inner-border-left",
    "mj-text": f"{_BLOCK} {_FONT} background-color height text-decoration text-transform vertical-align",
    "mj-image": f"{_BLOCK} {_LINK} alt border border-radius fluid-on-mobile font-size height max-height src srcset title usemap"
    " width",
    "mj-button": f"{_BLOCK} {_BORDER} {_FONT} {_LINK} background-color border-radius height inner-padding text-align"
    " text-decoration text-transform vertical-align width",
    "mj-divider": f"{_BLOCK} border-color border-style border-width width",
    "mj-spacer": f"{_PADDING} {_BORDER} container-background-color height",
    "mj-table": f"{_BLOCK} {_FONT} border cellpadding cellspacing table-layout vertical-align width",
    "mj-hero": f"{_PADDING} background-color background-height background-position background-url background-width height"
    " inner-background-color mode vertical-align",
    "mj-social": f"{_BLOCK} {_FONT} border-radius icon-height icon-padding icon-size inner-padding mode table-layout"
    " text-decoration text-padding vertical-align",
    "mj-social-element": f"{_PADDING} {_FONT} {_LINK} align alt background-color border-radius icon-height icon-padding"
    " icon-position icon-size src text-decoration text-padding title vertical-align",
    "mj-navbar": f"{_PADDING} align base-url hamburger ico-align ico-close ico-color ico-font-family ico-font-size"
    " ico-line-height ico-open ico-padding ico-padding-top ico-padding-right ico-padding-bottom ico-padding-left"
    " ico-text-decoration ico-text-transform",
    "mj-navbar-link": f"{_PADDING} {_FONT} {_LINK} text-decoration text-transform",
    "mj-accordion": f"{_PADDING} {_ICONS} border container-background-color font-family",
    "mj-accordion-element": f"{_ICONS} background-color border font-family",
    "mj-accordion-title": f"{_PADDING} background-color color font-family font-size",
    "mj-accordion-text": f"{_PADDING} background-color color font-family font-size font-weight letter-spacing line-height",
}
_EVERYWHERE = {"css-class", "mj-class"}
_KNOWN = {tag: {*words.split(), *_EVERYWHERE} for tag, words in _WORDS.items()}
#: Defaults for all elements and for classes of them take any attribute.
_ANY = {"mj-all", "mj-class"}
_KNOWN |= dict.fromkeys(_ANY, set().union(*_KNOWN.values()))
#: mjml has them, and mrml refuses or breaks them: nothing near was meant.
_BROKEN = {"mj-carousel", "mj-carousel-image", "mj-html-attributes"}
#: Refused with a reason of its own when the MJML is compiled.
_LATER = {"mj-include"}
_BLANKED = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"""<(mj[a-z-]*)(?=[\s/>])((?:[^<>"']|"[^"]*"|'[^']*')*)>""")
_ATTRIBUTE = re.compile(r"""(?<=\s)([A-Za-z][\w:-]*)\s*=\s*(?:"[^"]*"|'[^']*')""")


def unknown_words(template: str, file: Path) -> Iterator[Problem]:
    """Every tag and attribute of MJML in the template's source that there is not, with what may have been meant."""
    source = _BLANKED.sub(lambda part: re.sub(r"[^\n]", "\0" if part[0].startswith("{{") else " ", part[0]), template)
    for tag in _TAG.finditer(source):
        if tag[1] in _LATER:
            continue
        if tag[1] not in _KNOWN:
            near = _near(tag[1], set() if tag[1] in _BROKEN else set(_KNOWN))
            yield _problem(source, tag.start() + 1, file, f"<{tag[1]}> is no element of MJML{near}")
            continue
        for attribute in _ATTRIBUTE.finditer(tag[2]):
            name = attribute[1]
            if name not in _KNOWN[tag[1]] and not (name == "name" and tag[1] in _ANY):
                place = tag.start(2) + attribute.start()
                yield _problem(source, place, file, f"<{tag[1]}> has no attribute {name}{_near(name, _KNOWN[tag[1]])}")


def _near(word: str, known: set[str]) -> str:
    near = get_close_matches(word, sorted(known), 1)
    return f"; did you mean {near[0]}?" if near else " that can be used here; leave it out"


def _problem(source: str, place: int, file: Path, message: str) -> Problem:
    line = source.count("\n", 0, place) + 1
    return Problem(str(file), line, place - source.rfind("\n", 0, place), "", message)
