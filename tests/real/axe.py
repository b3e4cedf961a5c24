"""axe-core in a page, asked for what is wrong alone: to hand over its whole account takes longer than the checks."""

from typing import Any

from playwright.sync_api import Page

_RUN = """async options => {
  const { violations, passes } = await axe.run(document, options);
  const found = violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html}`));
  return { found, passed: passes.length };
}"""
#: WCAG 2.2 A and AA, and what axe's makers recommend.
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page, source: str, **options: Any) -> list[str]:
    """Each violation as its rule and the element's HTML; ``source`` is axe's program, ``options`` are those of ``axe.run``."""
    page.evaluate(source)
    result: dict[str, Any] = page.evaluate(_RUN, {"preload": False, **options})
    assert result["passed"], "axe looked at nothing"
    return list(result["found"])
