"""Editions whose pictures are broken, as they are shown and as files (pictures.py, descriptions.py, picture_files.py)."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from tests.check.broken import Bench
from tests.check.table import ARTICLE, H4, H4_RULES, INNER, Broken, add, assert_found, both, mjml, put, replace

ALT = "Ein voller Saal von der Bühne aus gesehen"
SHOWN = 'style="width:100%;height:auto;display:block"'
ELSEWHERE = "https://www.example.org/schiff.jpg"
POSTERS = ("eins", "zwei", "drei")


def alt(words: str) -> Callable[[Bench], None]:
    return replace(ALT, words)


def picture(name: str, image: Image.Image, **options: Any) -> Callable[[Bench], None]:
    """A picture of its own in place of the article's."""

    def change(bench: Bench) -> None:
        image.save(bench.folder / name, **options)
        bench.replace("saal.jpg", name)

    return change


def animated(name: str, lights: list[int], milliseconds: int, loop: int | None = None) -> Callable[[Bench], None]:
    frames = [Image.new("L", (600, 300), light) for light in lights]
    for number, frame in enumerate(frames):
        frame.putpixel((number, 0), 128)  # or frames that are alike become one
    options: dict[str, Any] = {} if loop is None else {"loop": loop}
    return picture(name, frames[0], save_all=True, append_images=frames[1:], duration=milliseconds, **options)


def noise(width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(4).randbytes(width * height * 3))


def logo(colour: tuple[int, int, int, int]) -> Image.Image:
    image = Image.new("RGBA", (1072, 400), (0, 0, 0, 0))
    image.paste(colour, (200, 100, 800, 300))
    return image


def posters(bench: Bench) -> None:
    for number, name in enumerate(POSTERS):
        Image.new("RGB", (1200, 700 + number), "#0a6273").save(bench.folder / f"{name}.jpg")


def many(bench: Bench) -> None:
    images = "".join(f"      - {{src: rauschen-{number}.png, decorative: true}}\n" for number in range(12))
    for number in range(12):
        noise(240 + number, 240).save(bench.folder / f"rauschen-{number}.png")
    add(f"  - type: gallery\n    images:\n{images}")(bench)


TABLE = [
    Broken("H7-no-address", put(f'<img alt="" src="" width="10" {SHOWN}>')),
    Broken("H7-not-https", mjml('<mj-image src="http://www.example.org/schiff.jpg" alt="Ein Schiff" width="200px" />'), INNER),
    Broken("H7-not-https", put(f'<img alt="" src="http://[schiff.jpg" width="10" {SHOWN}>')),
    Broken("H7-not-https", put(f'<img alt="" src="schiff.jpg" width="10" {SHOWN}>')),
    Broken(
        "H7-unknown-kind", mjml('<mj-image src="https://www.example.org/schiff.webp" alt="Ein Schiff" width="200px" />'), INNER
    ),
    Broken("H7-no-width", put(f'<img alt="Schiff in Fahrt" src="{ELSEWHERE}" {SHOWN}>')),
    Broken("H7-loose-picture", put(f'<img alt="" src="{ELSEWHERE}" width="10" style="display:block">')),
    Broken("H7-loose-picture", put(f'<div><img alt="" src="{ELSEWHERE}" width="10" style="height:auto"></div>')),
    Broken("A5-no-alt", mjml(f'<mj-image src="{ELSEWHERE}" width="200px" />'), INNER),
    Broken(
        "A5-linked-picture-says-nothing",
        mjml(
            f'<mj-image src="{ELSEWHERE}" href="https://www.example.org/" alt="" width="200px" />', "<https://www.example.org/>"
        ),
        INNER,
    ),
    Broken("A5-alt-is-file-name", alt("IMG_2041.JPG"), 14),
    Broken("A5-alt-is-file-name", alt("kongress_2026_saal"), 14),
    Broken("A5-alt-says-nothing", alt("Bild 1"), 14),
    Broken("A5-alt-says-nothing", alt("Logo"), 14),
    Broken("A5-alt-too-long", alt("Ein voller Saal " + "und noch ein Saal " * 8), 14),
    Broken("A5-alt-names-the-medium", alt("Foto von einem vollen Saal"), 14),
    Broken("A5-same-alt", both(mjml(f'<mj-image src="{ELSEWHERE}" alt="{ALT}" width="200px" />', ALT)), INNER),
    Broken("A5-alt-is-caption", replace(f"alt: {ALT}", f"alt: {ALT}, caption: „{ALT}.“"), 14),
    Broken(
        "A15-text-on-picture",
        mjml(
            '<mj-text color="#ffffff" font-size="16px" line-height="25px"><p>Ein Kasten.</p></mj-text>',
            section='background-url="https://www.example.org/see.jpg"',
        ),
        INNER,
        also=(H4,),
    ),
    Broken(
        "A15-nearly-only-pictures",
        both(
            replace(ARTICLE, "Ja."),
            replace("    body: |\n      der Kongress ist vorbei. Was bleibt, lesen Sie hier, und im\n", "    body: |\n"),
            replace("      [Bericht über den Kongress](https://www.example.org/kongress) steht der Rest.\n", "      Ja.\n"),
            add("".join(f"  - {{type: image, src: {name}.jpg, alt: {name}, credit: Ada}}\n" for name in POSTERS)),
            posters,
        ),
        6,
    ),
    Broken("H7-heavy", picture("saal.png", noise(280, 280)), 14),
    Broken("H7-too-heavy", picture("saal.png", noise(800, 600)), 14),
    Broken("H7-all-heavy", many, 6),
    Broken("A14-moves-on", animated("welle.gif", [90, 110] * 4, 800, 0), 14),
    Broken("A14-flashes", animated("blitz.gif", [0, 255] * 5, 100), 14),
    Broken("H11-picture-vanishes", picture("wappen.png", logo((20, 30, 40, 255))), 14),
]
FINE: dict[str, Callable[[Bench], object]] = {
    "a picture on a server of a rehearsal": put(f'<img alt="" src="http://127.0.0.1:8000/a.png" width="10" {SHOWN}>'),
    "a small picture in the midst of words": put(
        '<p>Neu: <img alt="" src="https://www.example.org/a.png" width="16" height="16"></p>'
    ),
    "a logo that is described": alt("Logo der Region"),
    "a photograph by name": alt("Fotoausstellung im Rathaus"),
    "the same picture twice": add(f"  - {{type: image, src: saal.jpg, alt: {ALT}, credit: Ada}}\n"),
    "a caption that says more": replace(f"alt: {ALT}", f"alt: {ALT}, caption: {ALT} am Montag"),
    "a linked picture beside words": put(
        f'<p><a href="https://www.example.org/kongress" style="color:#085a6a"><img alt="" src="{ELSEWHERE}" width="16" {SHOWN}>'
        "Bericht über den Kongress</a></p>"
    ),
    "dark text on a picture, which is read without it as well": mjml(
        '<mj-text color="#1f2a2e" font-size="16px" line-height="25px"><p>Ein Kasten.</p></mj-text>',
        section='background-url="https://www.example.org/see.jpg"',
    ),
    "text on a picture that has a colour behind it": mjml(
        '<mj-text color="#1f2a2e" font-size="16px" line-height="25px"><p>Ein Kasten.</p></mj-text>',
        section='background-url="https://www.example.org/see.jpg" background-color="#ffffff"',
    ),
    "a moving picture that stops": animated("welle.gif", [90, 110], 500, 2),
    "a short one that goes round three times": animated("welle.gif", [90, 110] * 5, 700, 3),
    "one that changes gently": animated("welle.gif", [100, 110] * 5, 90, 4),
    "a cut-out logo in a bright colour": picture("wappen.png", logo((240, 200, 80, 255))),
    "a dark picture without holes": picture("wappen.png", Image.new("RGBA", (800, 300), (20, 30, 40, 255))),
}


@pytest.mark.parametrize("broken", TABLE, ids=str)
def test_what_is_broken_is_found(bench: Bench, broken: Broken) -> None:
    assert_found(bench, broken)


@pytest.mark.parametrize("name", FINE)
def test_what_is_in_order_is_not(bench: Bench, name: str) -> None:
    FINE[name](bench)
    assert bench.rules() <= H4_RULES


def test_a_picture_inside_the_message_has_its_address(bench: Bench) -> None:
    bench.replace("language: de\n", "language: de\npictures: inline\n")
    assert not {id_ for id_ in bench.rules() if id_.startswith(("H7", "A5", "H13"))}
