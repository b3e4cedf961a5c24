"""The trimmed data of Can I email, the baseline and the tables of features fit each other; none of it needs the network."""

import json
from typing import Any

import pytest
from lxml.html import document_fromstring

from docs.client_baseline import baseline, mails
from docs.trim_caniemail import trim
from newsletter.check.clients import pages, support
from newsletter.check.clients.features import FEATURES, by_sign, phrases
from newsletter.check.clients.pages import unknown
from newsletter.check.wording import Phrases, wording
from newsletter.issue.mail_programs import CLIENTS, GERMAN


def test_the_data_has_just_the_features_of_the_tables() -> None:
    assert set(support.data()["missing"]) == set(FEATURES)
    assert set(support.data()["names"]) >= set(CLIENTS)
    assert {client for missing in support.data()["missing"].values() for client in missing} <= set(CLIENTS)
    assert support.FILE.stat().st_size < 60_000
    assert "Copyright (c) 2019 HTeuMeuLeu" in support.FILE.with_name("NOTICE").read_text(encoding="utf-8")


def test_every_feature_is_unknown_to_somebody_in_germany() -> None:
    assert [key for key, feature in FEATURES.items() if not support.without(feature, GERMAN)] == []


def test_every_sign_leads_to_its_features() -> None:
    assert {sign for feature in FEATURES.values() for sign in feature.signs} == set(by_sign())
    assert {key for feature in FEATURES.values() for key in feature.within} <= set(FEATURES)


@pytest.mark.parametrize("language", ["de"])
def test_everything_that_is_said_is_translated(language: str) -> None:
    assert phrases() | support.phrases() <= set(wording(language).translations)


def test_the_baseline_is_what_mjml_and_the_layouts_write() -> None:
    """Where this fails, ``python -m docs.client_baseline`` writes it anew: look at what comes new before you commit it."""
    assert baseline() == json.loads(pages.BASELINE.read_text(encoding="utf-8"))


def test_samples_and_blocks_are_known_everywhere() -> None:
    found = {case: [feature.key for feature in unknown(document_fromstring(html))] for case, html in mails().items()}
    assert len(found) == 10
    assert {case: keys for case, keys in found.items() if keys} == {}


def stats(**clients: dict[str, dict[str, str]]) -> dict[str, Any]:
    """What the source says of every feature of the tables."""
    entry = {"stats": clients, "notes_by_num": {"1": "Partial. Negative values are not supported.", "2": "Something else."}}
    return {
        "last_update_date": "2026-05-13 14:45:41 +0000",
        "nicenames": {"family": {"gmx": "GMX"}},
        "data": [{"slug": feature.slug, **entry} for feature in FEATURES.values()],
    }


def test_trimming_keeps_who_does_not_know_a_feature_now() -> None:
    source = stats(
        gmx={"desktop-webmail": {"2020-01": "y", "2022-06": "n"}, "ios": {"2022-06": "y"}},
        outlook={"windows": {"2019": "n"}, "windows-mail": {"2019": "y"}, "macos": {"2019": "u"}},
        gmail={"ios": {"2019-07": "a #2"}, "android": {"2019-07": "a #1 #2"}},
        yahoo={"ios": {"2019-07": "n", "2022-12": "y #1"}},
    )
    trimmed = trim(source)
    assert (trimmed["date"], trimmed["names"]) == ("2026-05-13", {"gmx": "GMX"})
    assert trimmed["missing"]["display-grid"] == {"gmx": ["desktop-webmail"], "outlook": ["*"]}
    assert trimmed["missing"]["negative margin"] == {
        "gmail": ["android"],
        "gmx": ["desktop-webmail"],
        "outlook": ["*"],
        "yahoo": ["*"],
    }


def test_trimming_needs_every_feature() -> None:
    source = stats()
    source["data"] = source["data"][1:]
    with pytest.raises(KeyError):
        trim(source)


def test_phrases_are_a_list_in_each_language() -> None:
    clients = Phrases(("{name}", "GMX"), ("{name}", "WEB.DE"), ("{name} for Windows", "Outlook"))
    assert clients == "GMX, WEB.DE and Outlook for Windows"
    assert wording("de").fill("{clients}", {"clients": clients}) == "GMX, WEB.DE und Outlook für Windows"
    assert wording("de").fill("{clients}", {"clients": Phrases()}) == ""
