"""Prepared pictures are kept across runs, and a cache that is broken, full or in the way changes nothing but the time."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from newsletter.compose import picture_cache
from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import PictureFile
from newsletter.compose.picture_cache import KeptPictures, PictureCache, cache_in
from newsletter.compose.pictures import make_picture
from newsletter.issue import Issue
from newsletter.settings import Workspace

PICTURE = PictureFile("aa.jpg", "image/jpeg", 40, 30, b"\xff\xd8\n\x00 bytes\n")
BLOCK = "{type: article, title: Ein Bericht, image: {src: ../pictures/foto.jpg, alt: Eine Fähre}, body: x}"
URL = "https://n.example.org/{}".format


def jpeg(width: int, height: int) -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", (width, height), "#0a6273")
    picture.paste("#d9822b", (0, 0, width // 2, height // 2))
    picture.save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The widths for which a picture was really made."""
    widths: list[int] = []

    def count(data: bytes, width: int, *, play: bool = False) -> PictureFile:
        widths.append(width)
        return make_picture(data, width, play=play)

    monkeypatch.setattr(picture_cache, "make_picture", count)
    return widths


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "a.jpg"
    file.write_bytes(jpeg(800, 400))
    return file


def test_name_is_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(800, 400))
    (tmp_path / "b.jpg").write_bytes(jpeg(800, 400))
    cache = PictureCache(entries=1)
    first, second = cache.make(tmp_path / "a.jpg", 200), cache.make(tmp_path / "b.jpg", 200)
    assert first is second
    assert cache.make(tmp_path / "a.jpg", 100).name != first.name
    assert cache.make(tmp_path / "a.jpg", 200) == first


def test_an_edited_file_is_read_again(photo: Path) -> None:
    cache = PictureCache()
    before = cache.make(photo, 200)
    photo.write_bytes(jpeg(800, 200))
    assert cache.make(photo, 200).height != before.height


def test_the_next_run_finds_what_this_one_made(tmp_path: Path, photo: Path, made: list[int]) -> None:
    kept = KeptPictures(tmp_path / "cache")
    first = PictureCache(kept=kept).make(photo, 200)
    assert PictureCache(kept=kept).make(photo, 200) == first
    assert made == [200]
    PictureCache(kept=kept).make(photo, 100)
    photo.write_bytes(jpeg(800, 200))
    PictureCache(kept=kept).make(photo, 200)
    assert made == [200, 100, 200]


def test_the_cache_knows_a_picture_with_its_mark_from_one_without(tmp_path: Path, photo: Path) -> None:
    cache = PictureCache(kept=KeptPictures(tmp_path / "cache"))
    plain, marked = cache.make(photo, 300), cache.make(photo, 300, play=True)
    assert plain.name != marked.name
    assert cache.make(photo, 300) is plain
    assert cache.make(photo, 300, play=True) is marked


def test_another_pipeline_makes_pictures_anew(
    tmp_path: Path, photo: Path, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptPictures(tmp_path / "cache")
    PictureCache(kept=kept).make(photo, 200)
    monkeypatch.setattr(picture_cache, "_pipeline", lambda: "another")
    PictureCache(kept=kept).make(photo, 200)
    assert made == [200, 200]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "swapped", "folder", "garbage"])
def test_a_broken_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    kept = KeptPictures(tmp_path)
    kept.keep("one", PICTURE)
    assert kept.read("one") == PICTURE
    file = tmp_path / "one.picture"
    whole = file.read_bytes()
    match damage:
        case "cut":
            file.write_bytes(whole[:-1])
        case "flipped":
            file.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
        case "empty":
            file.write_bytes(b"")
        case "swapped":
            file.rename(tmp_path / "two.picture")
        case "folder":
            file.unlink()
            file.mkdir()
        case "garbage":
            file.write_bytes(b"\xff\n[]\n")
    assert kept.read("two" if damage == "swapped" else "one") is None
    kept.keep("one", PICTURE)  # and nothing stops the compile
    assert kept.read("one") == (None if damage == "folder" else PICTURE)


def test_what_was_not_used_for_longest_is_dropped(tmp_path: Path) -> None:
    KeptPictures(tmp_path).keep("zero", PICTURE)
    each = (tmp_path / "zero.picture").stat().st_size
    kept = KeptPictures(tmp_path, largest=3 * each)
    for number, key in enumerate(("zero", "one", "two")):
        kept.keep(key, PICTURE)
        os.utime(tmp_path / f"{key}.picture", (number, number))
    (tmp_path / "mine.txt").write_bytes(bytes(1000))
    assert kept.read("one") == PICTURE  # used just now
    for key in ("three", "four"):
        kept.keep(key, PICTURE)
    left = {file.name for file in tmp_path.iterdir()}
    assert {"one.picture", "four.picture", "mine.txt", ".gitignore"} <= left
    assert "two.picture" not in left
    assert len(list(tmp_path.glob("*.picture"))) == 3


def test_the_workspace_keeps_them_and_git_does_not(workspace: Workspace, write: Callable[..., Issue], made: list[int]) -> None:
    issue = write(BLOCK)
    first = compile_issue(issue, workspace, URL)
    cache_in.cache_clear()  # another process
    assert compile_issue(issue, workspace, URL).hash == first.hash
    assert len(made) == 1
    assert (workspace.picture_cache / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert not list(workspace.picture_cache.glob("*.part"))


def test_where_nothing_can_be_written_it_goes_without(workspace: Workspace, write: Callable[..., Issue]) -> None:
    (workspace.root / ".newsletter-cache").write_text("in the way", encoding="utf-8")
    assert compile_issue(write(BLOCK), workspace, URL).pictures
