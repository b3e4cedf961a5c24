"""Make ``docs/preview.png``: the page of the sample issue, with a finding open. Needs the development set-up and Chromium.

Run: ``.venv/bin/python -m docs.shoot_preview``.
"""

import contextlib
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from newsletter.preview.server import Preview
from newsletter.settings import Workspace, program_folder

_TARGET = Path(__file__).parent / "preview.png"
_SLUG = "2026-11-en"
#: A link without words of its own, for the picture to have something to find.
_GOOD, _BAD = "[minutes of the Shore Conference](", "[here]("


def main() -> None:
    """Start the preview on a copy of the sample, open its finding and save the picture with few colours."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(program_folder("issues"), Path(folder) / "issues")
        issue = Path(folder) / "issues" / _SLUG / "issue.yaml"
        text = issue.read_text(encoding="utf-8")
        assert _GOOD in text
        issue.write_text(text.replace(_GOOD, _BAD, 1), encoding="utf-8")
        with contextlib.chdir(folder), Preview(Workspace(Path()), _SLUG) as preview, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
            page.goto(f"{preview.url}issue/{_SLUG}?lang=en")
            page.locator(".finding summary").first.click()
            page.wait_for_timeout(800)
            page.screenshot(path=str(_TARGET))
            browser.close()
    with Image.open(_TARGET) as picture:
        picture.convert("RGB").quantize(200, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(_TARGET, optimize=True)
    print(f"{_TARGET.name}: {_TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
