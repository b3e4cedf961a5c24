"""What the tables of broken editions are made of: one thing that is broken, the rules that find it, and where."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.check.broken import Bench

#: Some mail programs do not know it: what breaks another rule may break this one too, and what is right may lean on it.
H4, DECORATION = "H4-client-support", "H4-client-decoration"
H4_RULES = {H4, DECORATION}
#: The one paragraph of the article, which stands in line 15 of the issue file.
ARTICLE = "Dreihundert Gäste, zwölf Gespräche und ein Plan für das neue Jahr."
#: The first line after the issue as it is; what is added begins there.
ADDED = 17


@dataclass(frozen=True)
class Broken:
    """``change`` breaks ``rule``, at ``line`` of the issue file (0: in the layout); ``also`` are other rules that it breaks."""

    rule: str
    change: Callable[[Bench], object]
    line: int = 0
    also: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.rule


def assert_found(bench: Bench, broken: Broken) -> None:
    """Exactly the rules that are named are broken, and the one that is meant at its line."""
    broken.change(bench)
    findings = bench.check().findings
    assert {finding.rule.id for finding in findings} == {broken.rule, *broken.also}
    lines = {(finding.at.line, finding.at.path.endswith("issue.yaml")) for finding in findings if finding.rule.id == broken.rule}
    assert lines == {(broken.line, broken.line > 0)}


def add(blocks: str) -> Callable[[Bench], None]:
    """Write blocks below those of the issue, each line as it is to stand in the file."""

    def change(bench: Bench) -> None:
        file = bench.folder / "issue.yaml"
        file.write_text(file.read_text(encoding="utf-8") + blocks, encoding="utf-8")

    return change


def mjml(inner: str, text: str = "Ein Kasten.", section: str = 'background-color="#ffffff"') -> Callable[[Bench], None]:
    """Add an ``mjml`` block whose column holds ``inner``, from line 20 on; ``text`` is what the text part says."""
    lines = "".join(f"        {line}\n" for line in inner.split("\n"))
    source = f"      <mj-section {section}><mj-column>\n{lines}      </mj-column></mj-section>\n"
    return add(f"  - type: mjml\n    source: |\n{source}    text: |\n      {text}\n")


#: Where ``inner`` of :func:`mjml` begins.
INNER = ADDED + 3


def words(
    markup: str, text: str = "Ein Kasten.", look: str = 'color="#1f2a2e" font-size="16px" line-height="25px"'
) -> Callable[[Bench], None]:
    """Add an ``mjml`` block with one ``mj-text``; ``markup`` stands in line :data:`INNER`."""
    return mjml(f"<mj-text {look}>{markup}</mj-text>", text)


def replace(old: str, new: str) -> Callable[[Bench], None]:
    """Replace text in the issue file or in ``publication.yaml``."""
    return lambda bench: bench.replace(old, new)


def html(old: str, new: str) -> Callable[[Bench], None]:
    """Replace text in the compiled HTML."""
    return lambda bench: bench.html(old, new)


def put(markup: str) -> Callable[[Bench], None]:
    """Put markup behind the paragraph of the article, in the compiled HTML."""
    return html(f"{ARTICLE}</p>", f"{ARTICLE}</p>{markup}")


def body(text: str) -> Callable[[Bench], None]:
    """Write the article's text anew: the lines of a block scalar whose first one is line 16."""
    lines = "".join(f"      {line}\n" for line in text.split("\n"))
    return replace(f"    body: {ARTICLE}\n", f"    body: |\n{lines}")


def both(*changes: Callable[[Bench], object]) -> Callable[[Bench], None]:
    """One change after the other."""

    def change(bench: Bench) -> None:
        for one in changes:
            one(bench)

    return change
