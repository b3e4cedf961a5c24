"""What the documentation shows is what the program reads: every example loads, and no key is missing."""

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow
from ruamel.yaml import YAML

from newsletter.issue import load_issue, load_publication
from newsletter.issue.blocks import Block, Interview, OwnBlock
from newsletter.issue.model import Attachment, IssueFile, Logo, Publication
from newsletter.issue.parts import Model
from newsletter.settings import PREFIX, Settings, Workspace

ROOT = Path(__file__).parents[1]
EXAMPLES = re.findall(
    r"^```yaml\n(.*?)^```", (ROOT / "docs" / "issue-file.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)
BLOCKS = [example for example in EXAMPLES if example.startswith("- type:")]
(HEAD,) = (example for example in EXAMPLES if example.startswith("title:"))
(PUBLICATION,) = (example for example in EXAMPLES if example.startswith("name:"))
ISSUE = "title: Probe\nsubject: Eine Probe\ndate: 2026-11-27\nblocks:\n{}"
KINDS: dict[str, type[Model]] = {
    kind.model_fields["type"].annotation.__args__[0]: kind
    for kind in Block.__origin__.__args__  # type: ignore[attr-defined]
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = tmp_path / "issues" / "probe"
    folder.mkdir(parents=True)
    (tmp_path / "issues" / "publication.yaml").write_text(PUBLICATION, encoding="utf-8")
    for name in re.findall(r"src: ([\w-]+\.\w+)", "".join(EXAMPLES)):
        for place in (folder, folder.parent):  # the logo lies beside publication.yaml
            Pillow.new("RGB", (20, 10), "#0b4a57").save(place / name)
    for name in re.findall(r"file: ([\w-]+\.pdf)", "".join(EXAMPLES)):
        (folder / name).write_bytes(b"%PDF-1.7\n")
    return Workspace(tmp_path)


def _load(workspace: Workspace, text: str) -> IssueFile:
    (workspace.issues / "probe" / "issue.yaml").write_text(text, encoding="utf-8")
    return load_issue(workspace, "probe").content


@pytest.mark.parametrize("example", BLOCKS, ids=lambda example: example.split()[2])
def test_every_block_example_loads(workspace: Workspace, example: str) -> None:
    content = _load(workspace, ISSUE.format(example))
    assert [block.type for block in content.blocks] == [block["type"] for block in _plain(example)]


def test_the_head_example_loads_and_shows_every_key(workspace: Workspace) -> None:
    _load(workspace, HEAD)
    assert set(_plain(HEAD)) == set(IssueFile.model_fields)


def test_the_attachment_example_shows_every_key() -> None:
    (shown,) = _plain(HEAD)["attachments"]
    assert set(shown) == set(Attachment.model_fields)


def test_the_publication_example_loads_and_shows_every_key(workspace: Workspace) -> None:
    load_publication(workspace)
    shown = _plain(PUBLICATION)
    assert set(shown) == set(Publication.model_fields)
    assert set(shown["logo"]) == set(Logo.model_fields)
    for key in ("sender", "imprint"):
        model = Publication.model_fields[key].annotation
        assert isinstance(model, type)
        assert issubclass(model, Model)
        assert set(shown[key]) == set(model.model_fields)


def test_block_examples_show_every_type_and_key() -> None:
    shown: dict[str, set[str]] = {}
    for example in BLOCKS:
        for block in _plain(example):
            shown.setdefault(block["type"], set()).update(block)
    assert set(shown) == set(KINDS)
    for name, kind in KINDS.items():
        own = set(kind.model_fields) - set(OwnBlock.model_fields)
        assert own - shown[name] <= ({"decorative"} if name == "image" else set()), name
    assert set().union(*shown.values()) >= set(OwnBlock.model_fields)
    person = next(block["person"] for example in BLOCKS for block in _plain(example) if block["type"] == "interview")
    assert set(person) == set(Interview.model_fields["person"].annotation.model_fields)  # type: ignore[union-attr]


def test_env_example_explains_every_setting() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    settings = [line.removeprefix("#").partition("=")[0] for line in lines if re.match(r"#?[A-Z_]+=", line)]
    assert all(line.startswith("#") or not line for line in lines)  # nothing is switched on by copying the file
    names = {name.removeprefix(PREFIX).lower().removesuffix("_file") for name in settings}
    assert names == set(Settings.model_fields)


def _plain(text: str) -> Any:
    return YAML(typ="safe").load(text)
