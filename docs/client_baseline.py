"""What MJML and the layouts write anyway becomes ``baseline.json``: ``python -m docs.client_baseline``.

Run it after a change of the layouts, of MJML or of the tables of features, and look at what comes new before it is committed: is
it readable in the programs that do not know it?
"""

import json
import tempfile
from collections import defaultdict
from datetime import date
from functools import cache
from pathlib import Path

from lxml.html import document_fromstring

from newsletter.check.clients.pages import BASELINE, used_in
from newsletter.compose.compile import compile_issue
from newsletter.compose.inline import inline_css
from newsletter.compose.mjml import compile_mjml
from newsletter.issue import Issue, load_issue
from newsletter.issue.sample import new_issue, new_pictures
from newsletter.settings import Workspace, program_folder
from tests.compose.conftest import LAYOUTS, PUBLICATION, SAMPLES, TOGETHER, in_layout, write_issue, write_workspace

#: One of each element of MJML that an author may take and that works without a click, as MJML writes it by itself.
MJML = """<mjml><mj-head><mj-preview>a</mj-preview></mj-head><mj-body>
<mj-section><mj-column>
  <mj-text>a</mj-text><mj-image src="https://a/b.png" alt="b" href="https://a/" /><mj-button href="https://a/">c</mj-button>
  <mj-divider /><mj-spacer /><mj-table><tr><td>d</td></tr></mj-table>
  <mj-social><mj-social-element name="facebook" href="https://a/">e</mj-social-element></mj-social>
</mj-column></mj-section>
<mj-wrapper><mj-section><mj-group>
  <mj-column><mj-text>f</mj-text></mj-column><mj-column><mj-text>g</mj-text></mj-column>
</mj-group></mj-section></mj-wrapper>
<mj-section full-width="full-width" direction="rtl">
  <mj-column inner-background-color="#ffffff"><mj-text>h</mj-text></mj-column>
</mj-section>
<mj-hero><mj-text>i</mj-text></mj-hero>
</mj-body></mjml>"""


def baseline() -> dict[str, list[str]]:
    """The elements that each feature is used on; of ``style`` the selectors of rules that are not in the elements."""
    found: dict[str, set[str]] = defaultdict(set)
    for html in [inline_css(*compile_mjml(MJML)), *mails().values()]:
        for key, tag in used_in(document_fromstring(html)):
            found[key].add(tag)
    return {key: sorted(tags) for key, tags in sorted(found.items())}


@cache
def mails() -> dict[tuple[str, str], str]:
    """The HTML of the samples, of a new issue and of every block, by layout and name, in every layout of the program."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = write_workspace(Path(folder), PUBLICATION)
        issues = {name: load_issue(Workspace(program_folder("issues").parent), name) for name in SAMPLES}
        issues |= {name: write_issue(workspace, name, blocks) for name, blocks in TOGETHER.items()}
        issues["new"] = _new(workspace)
        return {(layout, name): _html(in_layout(issue, layout)) for layout in LAYOUTS for name, issue in issues.items()}


def _new(workspace: Workspace) -> Issue:
    folder = workspace.issues / "new"
    folder.mkdir()
    (folder / "issue.yaml").write_text(new_issue("de", "Ausgabe 5", date(2026, 12, 1)), encoding="utf-8")
    for name, picture in new_pictures().items():
        (folder / name).write_bytes(picture)
    return load_issue(workspace, "new")


def _html(issue: Issue) -> str:
    edition = compile_issue(issue, issue.workspace, "https://a/{}".format)
    return edition.html.fill({slot.name: "https://a/" for slot in edition.html.slots()})


def main() -> None:
    """Write ``baseline.json`` and say what is in it."""
    made = baseline()
    BASELINE.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for key, tags in made.items():
        print(f"{key}: {', '.join(tags)}")


if __name__ == "__main__":
    main()
