"""axe-core in a page, asked for what is wrong alone: to hand over its whole account takes longer than the checks."""

from collections.abc import Iterator
from typing import Any, Literal

from playwright.sync_api import Page

_RUN = """async options => {
  const { violations, passes } = await axe.run(document, options);
  const found = violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html}`));
  return { found, passed: passes.length };
}"""
#: WCAG 2.2 A and AA, and what axe's makers recommend.
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
#: A phone and a desktop, in light and in dark mode.
LOOKS: list[tuple[int, Literal["light", "dark"]]] = [(320, "light"), (320, "dark"), (1200, "light"), (1200, "dark")]


def each_look(page: Page) -> Iterator[tuple[int, str]]:
    """The page as it stands, once in each of :data:`LOOKS`: to load it anew takes longer than what is then looked at."""
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        yield width, scheme


def violations(page: Page, source: str, **options: Any) -> list[str]:
    """Each violation as its rule and the element's HTML; ``source`` is axe's program, ``options`` are those of ``axe.run``."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(source)
    result: dict[str, Any] = page.evaluate(_RUN, {"preload": False, **options})
    assert result["passed"], "axe looked at nothing"
    return list(result["found"])
