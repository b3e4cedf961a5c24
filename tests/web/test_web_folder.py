"""A folder for a web server: what we wrote is brought up to date, what others wrote stays, and nothing is ever half there."""

from pathlib import Path

import pytest

from newsletter.problem import InputError
from newsletter.web import folder as folder_module
from newsletter.web.folder import RECORD, WebFile, write_folder
from newsletter.whole_file import write_whole


def file(name: str, data: str, *, stays: bool = False) -> WebFile:
    return WebFile(name, f"https://x.example/{name}", data.encode(), stays)


OLD = [file("pictures/1.png", "1", stays=True), file("issues/a/index.html", "a"), file("issues/index.html", "list a")]
NEW = [file("issues/b/index.html", "b"), file("issues/index.html", "list b")]


def seen(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != RECORD)
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def test_what_is_public_no_more_goes_and_pictures_stay(tmp_path: Path) -> None:
    web = tmp_path / "new" / "web"
    first = write_folder(web, OLD)
    assert first.written == ("pictures/1.png", "issues/a/index.html", "issues/index.html")
    (web / "issues" / "mine.html").write_text("mine")
    second = write_folder(web, NEW)
    assert (second.written, second.removed, second.left) == (
        ("issues/b/index.html", "issues/index.html"),
        ("issues/a/index.html",),
        (),
    )
    assert not (web / "issues" / "a").exists()
    assert seen(web) == {
        "pictures/1.png": "1",
        "issues/b/index.html": "b",
        "issues/index.html": "list b",
        "issues/mine.html": "mine",
    }


def test_what_is_the_same_is_not_written_again(tmp_path: Path) -> None:
    write_folder(tmp_path, OLD)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.html")}
    assert write_folder(tmp_path, OLD).written == ()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.html")} == before


@pytest.mark.parametrize("ours", [True, False])
def test_a_file_of_somebody_else_is_never_overwritten(tmp_path: Path, ours: bool) -> None:
    if ours:
        write_folder(tmp_path, OLD)
    place = tmp_path / "issues" / "index.html"
    place.parent.mkdir(exist_ok=True)
    place.write_text("by hand")
    before = seen(tmp_path)
    with pytest.raises(InputError, match=r"issues/index\.html: was not written by newsletter publish, or changed since"):
        write_folder(tmp_path, NEW)
    assert seen(tmp_path) == before


def test_a_page_that_somebody_changed_is_left_and_told(tmp_path: Path) -> None:
    write_folder(tmp_path, OLD)
    (tmp_path / "issues" / "a" / "index.html").write_text("by hand")
    assert write_folder(tmp_path, NEW).left == ("issues/a/index.html",)
    assert seen(tmp_path)["issues/a/index.html"] == "by hand"


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "issues" / "index.html").mkdir(parents=True)
    with pytest.raises(InputError, match="was not written by newsletter publish"):
        write_folder(tmp_path, NEW)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file; name a folder"):
        write_folder(tmp_path / "file", NEW)


@pytest.mark.parametrize("record", ["no json", "[]", '{"../x": []}', '{"/x": []}', '{"x": "y"}'])
def test_a_record_that_is_none_is_refused(tmp_path: Path, record: str) -> None:
    (tmp_path / RECORD).write_text(record)
    with pytest.raises(InputError, match="is not what newsletter publish wrote"):
        write_folder(tmp_path, NEW)
    assert list(tmp_path.iterdir()) == [tmp_path / RECORD]


@pytest.mark.parametrize("broken_at", range(1, 6))
def test_wherever_it_breaks_off_no_page_leads_to_nothing_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken_at: int
) -> None:
    """Another edition of both pages: the disk is full at one write after another."""
    write_folder(tmp_path, OLD)
    calls = 0
    write = write_whole

    def until(place: Path, data: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls == broken_at:
            raise OSError(28, "No space left on device", str(place))
        write(place, data)

    with monkeypatch.context() as patch:
        patch.setattr(folder_module, "write_whole", until)
        with pytest.raises(OSError, match="No space left"):
            write_folder(tmp_path, [*NEW, file("issues/a/index.html", "a, better")])
    shown = seen(tmp_path)
    assert shown["issues/index.html"] != "list b" or "issues/b/index.html" in shown
    assert shown["issues/a/index.html"] in ("a", "a, better")
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".part")]
    write_folder(tmp_path, [*NEW, file("issues/a/index.html", "a, best")])
    assert seen(tmp_path)["issues/a/index.html"] == "a, best"
