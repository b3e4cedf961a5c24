"""Only the person who started the preview, on this machine, gets anything or changes anything (S24, S7)."""

import pytest

from newsletter.preview.app import Studio
from tests.preview.conftest import HOST, TOKEN, Visitor

PAGES = ["", "inbox", "style.css", "issue/2026-12", "issue/2026-12/mail", "issue/2026-12/mail.eml", "nothing"]


@pytest.mark.parametrize("path", PAGES)
def test_a_name_that_is_not_this_machine_gets_nothing(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path, Host="evil.example")
    assert answer.status_code == 421
    assert visitor.get(path, Host="127.0.0.1.evil.example:8026").status_code == 421
    assert "Ausgabe" not in answer.text


@pytest.mark.parametrize("host", [HOST, "localhost:8026", "[::1]:8026", "127.0.0.1"])
def test_names_of_this_machine_are_served(visitor: Visitor, host: str) -> None:
    assert visitor.get("issue/2026-12", Host=host).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_without_the_token_there_is_nothing(visitor: Visitor, path: str) -> None:
    for wrong in ("", "/wrong", f"/{TOKEN}x", f"/{TOKEN[:-1]}", f"/{TOKEN.upper()}", "/ä"):
        answer = visitor.ask("GET", f"{wrong}/{path}")
        assert (answer.status_code, "Ausgabe" in answer.text) == (404, False)


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://127.0.0.1:9999", f"https://{HOST}"])
def test_a_form_from_elsewhere_sends_nothing(visitor: Visitor, studio: Studio, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    answer = visitor.ask("POST", f"/{TOKEN}/issue/2026-12/test", data={"address": "me@example.org"}, headers=headers)
    assert (answer.status_code, len(studio.inbox)) == (403, 0)


def test_reading_never_sends(visitor: Visitor, studio: Studio) -> None:
    assert visitor.get("issue/2026-12/test?address=me@example.org").status_code in (404, 405)
    assert len(studio.inbox) == 0


@pytest.mark.parametrize(
    "path",
    [
        "issue/..%2F..%2F.env",
        "issue/%2e%2e/mail",
        "issue/.%2fother",
        "issue/2026-12%2Fissue.yaml",
        "pictures/..%2F..%2Flist.csv",
        "pictures/steg.png",
        "inbox/0",
        "inbox/99",
        "inbox/1/parts/99",
        "issue/other/mail",
        "issue/other",
        "issue/.hidden",
        "../style.css",
    ],
)
def test_a_path_leads_nowhere_else(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_every_page_says_what_it_may(visitor: Visitor) -> None:
    for path in PAGES:
        headers = visitor.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert "unsafe-eval" not in headers["Content-Security-Policy"]
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
    policy = visitor.get("issue/2026-12").headers["Content-Security-Policy"]
    assert "script-src 'self'; style-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_mail_may_run_and_send_nothing(visitor: Visitor) -> None:
    policy = visitor.get("issue/2026-12/mail").headers["Content-Security-Policy"]
    assert "script-src" not in policy
    assert "form-action 'none'" in policy
    assert "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox" in policy
    assert "allow-scripts" not in policy
    assert '<iframe name="mail"' in (shown := visitor.get("issue/2026-12").text)
    assert 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in shown


def test_a_large_form_is_not_read(visitor: Visitor, studio: Studio) -> None:
    assert visitor.post("issue/2026-12/test", address="a" * 20_000).status_code == 413
    assert len(studio.inbox) == 0
