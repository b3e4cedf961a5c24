"""Pictures: found inside the workspace only, and looked at before anyone opens them in earnest."""

import io
import os
import struct
import unicodedata
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image

from newsletter.issue import Issue
from newsletter.issue.pictures import UnfitPicture, check_picture, find_picture
from newsletter.problem import InputError
from newsletter.settings import Workspace


def drawn(kind: str, size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise(size, 60).convert("P" if kind == "GIF" else "RGB").save(stream, kind, **options)
    return stream.getvalue()


def huge_png() -> bytes:
    """A few hundred bytes that say they are 60 000 × 60 000 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_whole_pictures_pass_whatever_their_name(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "bild.dat"
    file.write_bytes(drawn(kind))
    check_picture(file)


def test_an_animation_passes(tmp_path: Path) -> None:
    file = tmp_path / "a.gif"
    frames = [Image.new("P", (8, 8), colour) for colour in range(3)]
    frames[0].save(file, save_all=True, append_images=frames[1:])
    check_picture(file)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_pictures_that_were_cut_off_are_refused(tmp_path: Path, kind: str, part: float) -> None:
    content = drawn(kind, (256, 256))
    file = tmp_path / "bild"
    file.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(UnfitPicture, match="damaged or was cut off"):
        check_picture(file)


def test_a_damaged_png_is_refused(tmp_path: Path) -> None:
    content = bytearray(drawn("PNG"))
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnfitPicture, match="damaged"):
        check_picture(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("content", "piece"),
    [
        (b"", "an empty file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?><svg/>", "SVG"),
        (drawn("WEBP"), "WebP"),
        (drawn("TIFF"), "TIFF"),
        (drawn("BMP"), "BMP"),
        (drawn("AVIF"), "AVIF"),
        (b"%PDF-1.7", "PDF"),
        (b"GIF88a", "no picture"),
        (b"\xff\xd8\xff", "damaged"),
        (b"GIF89a", "damaged"),
        (huge_png(), "60000 × 60000 pixels; 60 million are the most"),
    ],
)
def test_other_files_are_refused_by_their_content(tmp_path: Path, content: bytes, piece: str) -> None:
    file = tmp_path / "bild.jpg"
    file.write_bytes(content)
    with pytest.raises(UnfitPicture) as caught:
        check_picture(file)
    assert piece in str(caught.value)


def test_50_mb_are_refused_without_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.jpg"
    with file.open("wb") as stream:
        stream.truncate(50_000_000)

    def read(path: Path) -> bytes:
        raise AssertionError(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    with pytest.raises(UnfitPicture, match="has 50 MB; 20 MB are the most"):
        check_picture(file)


def test_a_picture_that_was_mended_is_looked_at_again(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(drawn("PNG")[:-20])
    with pytest.raises(UnfitPicture):
        check_picture(file)
    file.write_bytes(drawn("PNG"))
    check_picture(file)


def test_links_and_what_lies_behind_them_are_refused(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "a.png").write_bytes(drawn("PNG"))
    folder = workspace.issues / "4"
    (folder / "link.png").symlink_to(outside / "a.png")
    (folder / "inside.png").symlink_to(folder / "bild.png")
    (folder / "folder").symlink_to(outside)
    for src in ("link.png", "inside.png", "folder/a.png"):
        with pytest.raises(UnfitPicture, match="is a link to another place"):
            find_picture(workspace.root, folder, src)
    for src in (f"../../../{outside.name}/a.png", "../../.."):
        with pytest.raises(UnfitPicture, match="outside of the workspace"):
            find_picture(workspace.root, folder, src)


def test_a_workspace_reached_by_a_link_works(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> None:
    link = tmp_path_factory.mktemp("links") / "workspace"
    link.symlink_to(workspace.root.resolve())
    found = find_picture(link, link / "issues" / "4", "../4/bild.png")
    assert found == workspace.root.resolve() / "issues" / "4" / "bild.png"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_umlauts_in_names_are_found_in_either_form(workspace: Workspace, form: Literal["NFC", "NFD"]) -> None:
    folder = workspace.issues / "4"
    (folder / unicodedata.normalize(form, "bühne.png")).write_bytes(drawn("PNG"))  # macOS decomposes names, editors do not
    for name in (unicodedata.normalize("NFC", "bühne.png"), unicodedata.normalize("NFD", "bühne.png")):
        assert find_picture(workspace.root, folder, name).is_file()


def test_hints_name_the_pictures_of_that_folder(workspace: Workspace) -> None:
    folder = workspace.issues / "4"
    for src, piece in (
        ("FOTO.JPG", "did you mean foto.jpg?"),
        ("xyz.png", "there are: bild.png, foto.jpg"),
        ("fehlt/a.png", "there is no folder fehlt either"),
        ("../a.png", "put the picture beside the file that names it"),
        ("x" * 300, ""),
    ):
        with pytest.raises((UnfitPicture, OSError)) as caught:
            find_picture(workspace.root, folder, src)
        assert piece in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_picture_that_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(drawn("PNG"))
    file.chmod(0)
    with pytest.raises(UnfitPicture, match="cannot be read"):
        check_picture(file)


def test_every_picture_of_an_issue_is_dated_to_its_src(load: Callable[[str | bytes], Issue], workspace: Workspace) -> None:
    folder = workspace.issues / "4"
    (folder / "logo.svg").write_text("<svg/>")
    with (folder / "gross.jpg").open("wb") as stream:
        stream.truncate(50_000_000)
    long = "x" * 300 + ".png"
    with pytest.raises(InputError) as caught:
        load(
            "title: T\nsubject: S\ndate: 2026-12-01\nblocks:\n"
            "  - type: gallery\n    images:\n      - {src: logo.svg, alt: A}\n      - {alt: A, src: 'gross.jpg'}\n"
            f"  - type: interview\n    person: {{name: N, image: {{src: {long}, alt: A}}}}\n"
            "    questions: [{question: Q, answer: A}]\n"
        )
    assert [(problem.line, problem.column, problem.where) for problem in caught.value.problems] == [
        (7, 15, "blocks[0].images[0].src"),
        (8, 23, "blocks[0].images[1].src"),
        (10, 36, "blocks[1].person.image.src"),
    ]
    assert "gross.jpg: has 50 MB" in str(caught.value)
