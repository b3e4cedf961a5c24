"""Make the pictures of the sample in the docs: on a desktop and a phone, in both layouts, in forced dark mode, without styles.

Needs the development set-up and Chromium. Run: ``.venv/bin/python -m docs.shoot_layouts``.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

from lxml import etree
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from newsletter.check.draft import draft_links
from newsletter.check.sampling import Writer, invented
from newsletter.cli.mail_files import write_mail
from newsletter.compose.compile import compile_issue, picture_address
from newsletter.issue import load_issue
from newsletter.preview.lenses import seen
from newsletter.preview.look import Look
from newsletter.settings import Workspace

_DOCS = Path(__file__).parent
_SLUG = "2026-11"


def main() -> None:
    """Write the four pictures, with few colours."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        region, plain = (_mail(folder / layout, layout) for layout in ("region", "plain"))
        both = Image.new("RGB", (861, 820), "#ffffff")
        both.paste(_shot(browser, region, Look(), 940, 1285).resize((600, 820)), (0, 0))
        both.paste(_shot(browser, region, Look(), 370, 1280).resize((237, 820)), (624, 0))
        _save(both, "sample")
        _save(_shot(browser, plain, Look(), 680, 935).resize((510, 701)), "layout-plain")
        _save(_shot(browser, region, Look(dark="1"), 680, 935).resize((510, 701)), "forced-dark")
        interview = _shot(browser, region, Look(client="gmx"), 680, 1300, top="h2:has-text('Wir zählen Boote')")
        _save(interview.resize((510, 975)), "without-style")
        browser.close()


def _mail(folder: Path, layout: str) -> Path:
    workspace = Workspace(_DOCS.parent)
    issue = load_issue(workspace, _SLUG)
    issue = replace(issue, content=issue.content.model_copy(update={"layout": layout}))
    links = draft_links(workspace, issue)
    edition = compile_issue(issue, workspace, links.picture_url)
    mail = Writer(edition, links, issue.slug).write(next(invented(edition)))
    write_mail(folder, mail, edition, picture_address(issue.publication, links.picture_url))
    return folder / "message.html"


def _shot(  # noqa: PLR0913, PLR0917 - what a picture is of
    browser: Browser, mail: Path, look: Look, width: int, height: int, top: str = "body"
) -> Image.Image:
    """So much of the mail from the element ``top`` on, as the mail program of ``look`` shows it."""
    page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    file = mail.with_name("seen.html")
    document = seen(mail.read_text(encoding="utf-8"), look)
    file.write_text(etree.tostring(document, encoding="unicode", method="html"), encoding="utf-8")
    page.goto(file.as_uri())
    box = page.locator(top).first.bounding_box()
    picture = mail.with_name("shot.png")
    page.screenshot(path=str(picture), full_page=True)
    page.close()
    start = max(0, round(box["y"]) - 24) if box is not None else 0
    with Image.open(picture) as whole:
        return whole.convert("RGB").crop((0, start, width, start + height))


def _save(picture: Image.Image, name: str) -> None:
    file = _DOCS / f"{name}.png"
    picture.quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"{file.name}: {picture.width}x{picture.height}, {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
