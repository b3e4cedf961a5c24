"""What some mail programs do not know of what shows at times, of style sheets and of HTML.

What other rules refuse altogether (H2: forms, SVG, films; H7: kinds of pictures) is not told again.
"""

from newsletter.check.clients.feature import UNBROKEN, Feature, attribute, element, media, property_, pseudo

_OPEN = "show everything to everyone, or leave the part out"
_TEXT = "write it as text into the mail"
_INLINE = 'put the rule into <mj-style inline="inline">'
_SHOWN = "what is to be hidden is shown"
_STANDS_STILL = "nothing moves"
_UNADORNED = "the rule does not count, and the part looks like those around it"
_SILENT = "screen readers do not read it out"
_PARTS = ("header", "main", "nav", "section", "article", "aside", "figure", "figcaption", "footer")

ELEMENTS = (
    # what shows at times
    Feature("display-none", "css-display-none", "display: none", ("display: none",), _SHOWN),
    Feature("visibility", "css-visibility", "visibility: hidden", ("visibility: hidden", "visibility: collapse"), _SHOWN, _OPEN),
    Feature("animation", "css-animation", "animation", ("animation", "animation-name", "@keyframes"), _STANDS_STILL),
    property_("transition", _STANDS_STILL),
    pseudo("hover", "nothing changes under the pointer"),
    pseudo("focus", "nothing changes when the keyboard reaches it"),
    pseudo("active", "nothing changes when it is pressed"),
    pseudo("checked", "what a click should open stays as it is", _OPEN),
    pseudo("target", "what a click should open stays as it is", _OPEN),
    pseudo("before", "the words or signs that it adds are missing", _TEXT, "element"),
    pseudo("after", "the words or signs that it adds are missing", _TEXT, "element"),
    pseudo("first-letter", _UNADORNED, kind="element"),
    pseudo("first-line", _UNADORNED, kind="element"),
    pseudo("marker", "the list has the usual dots", kind="element"),
    pseudo("first-child", _UNADORNED),
    pseudo("last-child", _UNADORNED),
    pseudo("nth-child", _UNADORNED),
    pseudo("not", _UNADORNED),
    pseudo("has", _UNADORNED),
    # style sheets
    Feature("style", "html-style", "<style>", ("<style>",), "what this rule says is missing", _INLINE),
    Feature("nesting", "css-nesting", "CSS nesting", ("nesting",), _UNADORNED, "write every rule with its whole selector"),
    Feature("supports", "css-at-supports", "@supports", ("@supports",), _UNADORNED),
    media("prefers-color-scheme", "the mail keeps its light colours, or the program inverts them by itself"),
    media("prefers-reduced-motion", _UNADORNED),
    media("hover", _UNADORNED),
    media("orientation", _UNADORNED),
    # HTML
    Feature(
        "details",
        "html-semantics",
        "<details>",
        ("<details>", "<summary>"),
        "everything is open at once, and a click does nothing",
        _OPEN,
        ("Only `<time>`", "`<details>`"),
    ),
    Feature(
        "parts",
        "html-semantics",
        "<main>, <section>, <figure> …",
        tuple(f"<{tag}>" for tag in _PARTS),
        "the words stay, the element and its look are dropped",
        notes=("Only `<time>`",),
    ),
    element("dialog", _SHOWN, _OPEN),
    attribute("popover", _SHOWN, _OPEN),
    attribute("hidden", _SHOWN, _OPEN),
    element("picture", "the picture of the <img> in it is shown"),
    attribute("srcset", "the picture of src is shown"),
    element("marquee", "the words stand still", _TEXT),
    element("progress", "the bar is missing", _TEXT),
    element("meter", "the bar is missing", _TEXT),
    element("ruby", "the reading stands behind the words"),
    element("bdi", "words in two directions may come in a wrong order"),
    element("wbr", UNBROKEN),
    element("abbr", "the explanation does not show"),
    element("small", "the words have the usual size"),
    attribute("aria-label", _SILENT),
    attribute("aria-labelledby", _SILENT),
    attribute("aria-describedby", _SILENT),
    attribute("aria-hidden", "screen readers read it out"),
)
