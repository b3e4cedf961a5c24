"""A row of the table of what some mail programs do not know: the signs by which it is seen, and what readers lose.

The words are English; ``check/words`` has them in German. Who does not know a feature is in ``support.json``.
"""

from dataclasses import dataclass

PIXELS = "write the size in px"
SIZE = "the size does not count, and text or parts come out larger or smaller"
NO_DISTANCE = "the distance is missing, and parts touch each other"
UNBROKEN = "long words are not broken, or elsewhere"


@dataclass(frozen=True)
class Feature:
    """Something of HTML or CSS that readers may miss.

    ``key`` is its name in ``support.json``, ``slug`` caniemail's; clients of which caniemail says one of ``notes`` do not know
    it either. ``shown`` is how people are told of it. With ``instead`` readers lose something (a warning), without
    it is decoration. ``only`` and ``never`` are elements. It is not told beside a feature in ``within``, which it belongs to.
    """

    key: str
    slug: str
    shown: str
    signs: tuple[str, ...]
    loss: str
    instead: str = ""
    notes: tuple[str, ...] = ()
    only: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    within: tuple[str, ...] = ()

    def is_on(self, tag: str) -> bool:
        """Whether it matters on an element."""
        return (not self.only or tag in self.only) and tag not in self.never


def property_(name: str, loss: str, instead: str = "", within: tuple[str, ...] = ()) -> Feature:
    """A property, whatever its value (but for values that mean nothing)."""
    return Feature(name, f"css-{name}", name, (name,), loss, instead, within=within)


def function(name: str, loss: str, instead: str, slug: str = "") -> Feature:
    """A function in a value."""
    return Feature(name, slug or f"css-{name}", f"{name}()", (f"{name}()",), loss, instead)


def unit(name: str) -> Feature:
    """A unit of sizes."""
    return Feature(name, f"css-unit-{name}", name, (f"1{name}",), SIZE, PIXELS)


def pseudo(name: str, loss: str, instead: str = "", kind: str = "class") -> Feature:
    """A pseudo-class, or with ``kind="element"`` a pseudo-element."""
    colons = "::" if kind == "element" else ":"
    return Feature(name, f"css-pseudo-{kind}-{name}", f"{colons}{name}", (f":{name}",), loss, instead)


def media(name: str, loss: str) -> Feature:
    """A condition of ``@media``."""
    return Feature(f"media-{name}", f"css-at-media-{name}", f"@media ({name})", (f"@media {name}",), loss)


def logical(slug: str, *names: str) -> Feature:
    """Distances that go by the direction of writing."""
    return Feature(slug.removeprefix("css-"), slug, names[0], names, NO_DISTANCE)


def element(name: str, loss: str, instead: str = "") -> Feature:
    """An element."""
    return Feature(name, f"html-{name}", f"<{name}>", (f"<{name}>",), loss, instead)


def attribute(name: str, loss: str, instead: str = "") -> Feature:
    """An attribute."""
    return Feature(name, f"html-{name}", name, (f"[{name}]",), loss, instead)
