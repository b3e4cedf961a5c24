"""What some mail programs do not know of what stands in declarations: places, sizes, values, grounds, the look of words."""

from newsletter.check.clients.feature import NO_DISTANCE, PIXELS, SIZE, UNBROKEN, Feature, function, logical, property_, unit

_COLUMNS = "set parts side by side with mj-section and mj-column"
_BELOW = "let the parts stand one below the other"
_HEX = "write the colour with six digits, e.g. #0a6273"
_GROUND = "give the part a background-color on which its words can be read"
_VALUE = "write the value itself in each place"
_PICTURE = "make a picture of it as it is to look"
_STACKED = "the parts stand one below the other"
_UNPLACED = "the part stands where the text before it ends, and nothing covers anything"
_NO_COLOUR = "the colour is missing, so words may be unreadable"
_NO_GRADIENT = "the gradient is missing, and light words may stand on white"
_WHOLE_LINE = "the part gets as wide as there is room"
_CONTENT_SIZE = "the part gets as large as what is in it"
_USUAL_LINE = "the line under the words looks as usual"
_UNBLENDED = "the picture is shown as it is"
_CELLS = frozenset({"td", "th"})
_BOXES = frozenset({"div", "p", "span", "body"})
_BOXED = ("display-flex", "display-grid")
_FLEX = ("display: flex", "display: inline-flex")
_GRID = ("display: grid", "display: inline-grid")
_AUTO = ("margin: auto", "margin-left: auto", "margin-right: auto")

DECLARED = (
    # where things stand
    Feature("display-flex", "css-display-flex", "display: flex", _FLEX, _STACKED, _COLUMNS),
    Feature("display-grid", "css-display-grid", "display: grid", _GRID, _STACKED, _COLUMNS),
    property_("flex-direction", _STACKED, within=_BOXED),
    property_("flex-wrap", _STACKED, within=_BOXED),
    property_("justify-content", "the parts stand at the left", within=_BOXED),
    property_("align-items", "the parts stand at the top", within=_BOXED),
    property_("gap", NO_DISTANCE, within=_BOXED),
    Feature(
        "grid-template",
        "css-grid-template",
        "grid-template",
        ("grid-template", "grid-template-areas", "grid-template-columns", "grid-template-rows"),
        _STACKED,
        within=_BOXED,
    ),
    Feature("float", "css-float", "float", ("float: left", "float: right"), "the text does not flow around it", _COLUMNS),
    Feature(
        "position",
        "css-position",
        "position",
        ("position: absolute", "position: fixed", "position: relative", "position: sticky"),
        _UNPLACED,
        _BELOW,
    ),
    Feature("left", "css-left-right-top-bottom", "left", ("left", "right", "top", "bottom"), _UNPLACED, within=("position",)),
    property_("inset", _UNPLACED, within=("position",)),
    property_("z-index", _UNPLACED, within=("position",)),
    property_("transform", "it is shown neither turned, moved nor scaled", _PICTURE),
    property_("column-count", "the text runs in one column", _COLUMNS),
    Feature(
        "columns", "css-column-layout-properties", "columns", ("columns", "column-width"), "the text runs in one column", _COLUMNS
    ),
    Feature(
        "writing-mode",
        "css-writing-mode",
        "writing-mode",
        ("writing-mode: vertical-rl", "writing-mode: vertical-lr", "writing-mode: sideways-rl", "writing-mode: sideways-lr"),
        "the text runs in lines as usual",
        _BELOW,
    ),
    # distances and sizes
    Feature(
        "negative margin",
        "css-margin",
        "margin below 0",
        ("margin: -1",),
        "no part moves over another",
        _BELOW,
        ("Negative values",),
    ),
    Feature("margin auto", "css-margin", "margin: auto", _AUTO, "the part stands at the left", notes=("`auto` value",)),
    Feature(
        "padding",
        "css-padding",
        "padding",
        ("padding", "padding-top", "padding-right", "padding-bottom", "padding-left"),
        NO_DISTANCE,
        notes=("Only supported on table cells",),
        never=_CELLS,
    ),
    Feature(
        "max-width",
        "css-max-width",
        "max-width",
        ("max-width",),
        _WHOLE_LINE,
        notes=("Only works on `<table>`",),
        never=frozenset({"table"}),
    ),
    Feature("width", "css-width", "width", ("width",), _WHOLE_LINE, notes=("Not supported on `<body>`",), only=_BOXES),
    Feature("height", "css-height", "height", ("height",), _CONTENT_SIZE, notes=("Not supported on `<body>`",), only=_BOXES),
    property_("max-height", _CONTENT_SIZE),
    property_("min-height", _CONTENT_SIZE),
    property_("min-width", _CONTENT_SIZE),
    property_("aspect-ratio", _CONTENT_SIZE),
    Feature(
        "intrinsic-size",
        "css-intrinsic-size",
        "fit-content",
        tuple(
            f"{name}: {value}"
            for name in ("width", "height", "min-width", "max-width")
            for value in ("fit-content", "min-content", "max-content")
        ),
        _WHOLE_LINE,
    ),
    property_("border-spacing", "the cells of a table have the usual distances"),
    Feature("box-sizing", "css-box-sizing", "box-sizing", ("box-sizing: border-box",), "padding and border make the part larger"),
    Feature(
        "overflow",
        "css-overflow",
        "overflow",
        ("overflow: hidden", "overflow: scroll", "overflow: auto"),
        "nothing is cut off, and the part grows",
        never=frozenset({"hr"}),
    ),
    logical("css-margin-inline-block", "margin-inline", "margin-block"),
    logical("css-margin-inline-start-end", "margin-inline-start", "margin-inline-end"),
    logical("css-margin-block-start-end", "margin-block-start", "margin-block-end"),
    logical("css-padding-inline-block", "padding-inline", "padding-block"),
    logical("css-padding-inline-start-end", "padding-inline-start", "padding-inline-end"),
    logical("css-padding-block-start-end", "padding-block-start", "padding-block-end"),
    Feature("inline-size", "css-block-inline-size", "inline-size", ("inline-size", "block-size"), _WHOLE_LINE),
    # values
    unit("rem"),
    unit("ch"),
    unit("vw"),
    unit("vh"),
    unit("vmin"),
    unit("vmax"),
    function("calc", SIZE, PIXELS, "css-unit-calc"),
    function("min", SIZE, PIXELS, "css-function-min"),
    function("max", SIZE, PIXELS, "css-function-max"),
    function("clamp", SIZE, PIXELS, "css-function-clamp"),
    function("var", "the value counts as not written", _VALUE, "css-variables"),
    function("rgba", _NO_COLOUR, _HEX),
    Feature(
        "rgb-spaces",
        "css-rgb",
        "rgb(0 0 0)",
        ("rgb(0 0 0)",),
        "everything that is written beside it is dropped too",
        _HEX,
        ("Whitespace syntax",),
    ),
    Feature("lab", "css-modern-color", "oklch()", ("lab()", "oklab()", "lch()", "oklch()"), _NO_COLOUR, _HEX),
    function("light-dark", _NO_COLOUR, _HEX, "css-function-light-dark"),
    Feature(
        "important",
        "css-important",
        "!important",
        ("!important",),
        "what is marked so is dropped",
        "write it without !important",
        ("Not supported inline",),
    ),
    # grounds and pictures
    Feature(
        "background-image",
        "css-background-image",
        "background-image",
        ("background-image", "[background]"),
        "the picture behind the words is missing",
        _GROUND,
    ),
    property_("background-size", "the picture behind the words is shown in its own size"),
    property_("background-clip", "the words are filled with one colour or none", _GROUND),
    property_("background-blend-mode", _UNBLENDED),
    function("linear-gradient", _NO_GRADIENT, _GROUND),
    function("radial-gradient", _NO_GRADIENT, _GROUND),
    function("conic-gradient", _NO_GRADIENT, _GROUND),
    property_("object-fit", "the picture is squeezed or stretched", "cut the picture to the shape that it is shown in"),
    property_("object-position", "the picture is squeezed or stretched", within=("object-fit",)),
    property_("clip-path", "the picture is shown uncut", _PICTURE),
    property_("mask-image", "the picture is shown uncut", _PICTURE),
    property_("filter", _UNBLENDED),
    property_("backdrop-filter", _UNBLENDED),
    property_("mix-blend-mode", _UNBLENDED),
    property_("opacity", "it is shown in full strength"),
    property_("border-radius", "the corners are square"),
    property_("border-image", "the border is a line, or missing"),
    property_("box-shadow", "the shadow is missing"),
    property_("outline", "the line around it is missing"),
    # words
    Feature("font-face", "css-at-font-face", "@font-face", ("@font-face",), "the words are set in another font"),
    property_("text-shadow", "the shadow is missing"),
    property_("text-overflow", "the words run on, without dots"),
    Feature(
        "text-align",
        "css-text-align",
        "text-align: start",
        ("text-align: start", "text-align: end"),
        "the text is set as usual",
        notes=("Flow-relative",),
    ),
    Feature(
        "lowercase",
        "css-text-transform",
        "text-transform: lowercase",
        ("text-transform: lowercase",),
        "capitals stay",
        notes=("`lowercase`",),
    ),
    property_("text-decoration-color", _USUAL_LINE),
    property_("text-decoration-style", _USUAL_LINE),
    property_("text-decoration-thickness", _USUAL_LINE),
    property_("text-underline-offset", _USUAL_LINE),
    Feature("hyphens", "css-hyphens", "hyphens", ("hyphens: auto",), UNBROKEN),
    property_("overflow-wrap", UNBROKEN),
    property_("word-break", UNBROKEN),
    property_("white-space", "lines are broken as usual"),
    property_("word-spacing", "the words stand as close as usual"),
    property_("list-style-image", "the list has the usual dots"),
    Feature(
        "list-style-position",
        "css-list-style-position",
        "list-style-position",
        ("list-style-position: inside", "list-style: inside"),
        "the dots of the list stand outside",
    ),
    property_("caption-side", "the caption stands above the table"),
)
