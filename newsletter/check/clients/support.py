"""A feature becomes the mail programs that do not know it, in words (``support.json``, made by ``docs/trim_caniemail.py``)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from newsletter.check.clients.feature import Feature
from newsletter.check.wording import Phrases

FILE = Path(__file__).with_name("support.json")
#: Names that people know better than caniemail's.
_NAMES = {"t-online-de": "T-Online", "ionos-1and1": "IONOS", "thunderbird": "Thunderbird"}
#: How a program is told from others of its name; what is not here is just called by it.
_PLATFORMS = {
    "windows": "{name} for Windows",
    "macos": "{name} for Mac",
    "ios": "{name} (app)",
    "android": "{name} (app)",
    "mobile-webmail": "{name} (in the phone's browser)",
}
#: Where most read who use a client in the browser.
_MAIN = "desktop-webmail"


def without(feature: Feature, clients: Iterable[str]) -> Phrases:
    """Those of ``clients`` (caniemail's names) that do not know the feature, in their order, as a list in words, or nothing."""
    missing = data()["missing"][feature.key]
    return Phrases(*dict.fromkeys(part for client in clients for part in _named(client, missing.get(client, []))))


def phrases() -> set[str]:
    """Everything that is said in words, for the translations."""
    return set(_PLATFORMS.values())


@cache
def data() -> Mapping[str, Any]:
    """What ``support.json`` holds."""
    read: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return read


def _named(client: str, platforms: list[str]) -> Iterator[tuple[str, str]]:
    name = _NAMES.get(client, data()["names"][client])
    if _MAIN in platforms:  # whoever has it not in the browser is named for all of its apps
        yield "{name}", name
        return
    for platform in platforms:
        if platform == "outlook-com":
            yield "{name}", "Outlook.com"
        else:
            yield _PLATFORMS.get(platform, "{name}"), name
