"""Can I email's data, less what is not used, become ``support.json``: ``python -m docs.trim_caniemail SOURCE.json``.

SOURCE is https://www.caniemail.com/api/data.json, or ``package/dist/data/caniemail.json`` of the npm package ``caniemail``.
"""

import json
import sys
from pathlib import Path
from typing import Any

from newsletter.check.clients.feature import Feature
from newsletter.check.clients.features import FEATURES
from newsletter.check.clients.support import FILE

#: Programs that are no more: Windows Mail ended with 2024.
_GONE = {"windows-mail"}


def trim(source: dict[str, Any]) -> dict[str, Any]:
    """What ``support.json`` holds: for each feature the clients that do not know it, as of their last test.

    ``*`` stands for all platforms of a client that were tested. Raises KeyError for a feature that the source has not.
    """
    data = {entry["slug"]: entry for entry in source["data"]}
    return {
        "source": "https://www.caniemail.com/, MIT licence, see NOTICE",
        "date": source["last_update_date"].split()[0],
        "names": dict(sorted(source["nicenames"]["family"].items())),
        "missing": {key: _missing(feature, data[feature.slug]) for key, feature in sorted(FEATURES.items())},
    }


def _missing(feature: Feature, entry: dict[str, Any]) -> dict[str, list[str]]:
    found = {}
    notes: dict[str, str] = entry["notes_by_num"] or {}
    for client, platforms in sorted(entry["stats"].items()):
        last = {name: list(results.values())[-1] for name, results in platforms.items() if name not in _GONE and results}
        known = {name: result for name, result in last.items() if not result.startswith("u")}
        without = sorted(name for name, result in known.items() if _is_missing(result, feature.notes, notes))
        if without:
            found[client] = ["*"] if len(without) == len(known) else without
    return found


def _is_missing(result: str, meant: tuple[str, ...], notes: dict[str, str]) -> bool:
    """``n``, or by a note that is meant (``a #1 #2``)."""
    support, *marks = result.split()
    said = [notes.get(mark.lstrip("#"), "") for mark in marks]
    return support == "n" or any(words in note for words in meant for note in said)


def main(source: Path) -> None:
    """Write ``support.json`` and say how old the data is."""
    trimmed = trim(json.loads(source.read_text(encoding="utf-8")))
    FILE.write_text(json.dumps(trimmed, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{FILE.name}: {len(trimmed['missing'])} features, data of {trimmed['date']}, {FILE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
