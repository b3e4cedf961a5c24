"""The header and the bytes of a message, what an inbox shows, what the law asks: each broken edition is caught by its rule."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from newsletter.compose.edition import AttachedFile, Edition
from tests.check.broken import ISSUE, Bench

Breaking = Callable[[Bench], None]
SUBJECT = "Rückblick auf den Kongress und neue Termine"
PREHEADER = "Was der Kongress gebracht hat, und wo Sie uns im Dezember treffen können."
PIXEL = '<img src="https://news.example.org/p.gif" alt="" width="1" height="1" style="display:block;height:auto"></body>'
#: Found too where the bytes of a message were changed after it was made.
BYTES = "S2-not-as-made"
#: What a text that is taken for HTML lacks.
NO_PAGE = {
    "A1-no-language",
    "A13-title-is-no-heading",
    "A3-no-title",
    "A4-no-main-heading",
    "H1-frame-lacks",
    "H1-not-one-document",
    "H11-no-colour-scheme",
    "H12-not-closed",
    "H14-view-link-late",
}


def attached(size: int) -> Breaking:
    """An attachment of so many bytes, as it travels: a third less than what counts."""
    file = AttachedFile("attached-1.pdf", "a.pdf", "application/pdf", b"%PDF" + b"x" * size)

    def change(edition: Edition) -> Edition:
        return replace(edition, attachments=(file,))

    return lambda bench: bench.edition(change)


def padded(octets: int) -> Breaking:
    """That much more HTML."""
    return lambda bench: bench.html("</body>", f"<!-- {'x ' * (octets // 2)} --></body>")


def html_first(bench: Bench) -> None:
    """The two parts change their kinds."""
    bench.raw(b"text/plain;", b"text/xxxx;")
    bench.raw(b"text/html;", b"text/plain;")
    bench.raw(b"text/xxxx;", b"text/html;")


#: What is broken, the rule that finds it, others that find the same, where it is found.
CASES: dict[str, tuple[Breaking, str, set[str], str]] = {
    "sender at gmx": (
        lambda bench: bench.replace("newsletter@region.example.org", "amt@gmx.de"),
        "B1-free-mail-sender",
        {"B12-list-id-elsewhere"},
        "publication.yaml:4:38",
    ),
    "two senders": (
        lambda bench: bench.raw(b"From: Staatskanzlei <newsletter@region.example.org>", b"From: a@example.org, b@example.org"),
        "B1-sender-not-one",
        set(),
        "publication.yaml:4:38",
    ),
    "no date": (lambda bench: bench.raw(b"Date: ", b"X-Date: "), "B2-header-missing", {"B4-date", BYTES}, "issue.yaml:1:1"),
    "two subjects": (
        lambda bench: bench.raw(b"Subject: ", b"Subject: a\r\nSubject: "),
        "B2-header-twice",
        {BYTES},
        "issue.yaml:1:1",
    ),
    "another Message-ID": (
        lambda bench: bench.raw(b"@region.example.org>\r\nList-Unsub", b"@host.local>\r\nList-Unsub"),
        "B3-message-id",
        set(),
        "publication.yaml:4:38",
    ),
    "an old date": (lambda bench: bench.raw(b" 20", b" 19"), "B4-date", set(), "issue.yaml:1:1"),
    "unsubscribe by http": (
        lambda bench: bench.raw(b"<https://news.example.org/unsub", b"<http://news.example.org/unsub"),
        "B5-list-unsubscribe",
        {"L7-no-way-out"},
        "issue.yaml:1:1",
    ),
    "no one-click": (
        lambda bench: bench.raw(b"List-Unsubscribe=One-Click", b"List-Unsubscribe=one-click"),
        "B6-one-click",
        set(),
        "issue.yaml:1:1",
    ),
    "unsubscribe by number": (
        lambda bench: bench.raw(b"<https://news.example.org/unsubscribe/", b"<https://news.example.org/u/7>,<mailto:"),
        "B7-unsubscribe-token",
        {"L7-no-way-out"},
        "issue.yaml:1:1",
    ),
    "encoded List-Id": (
        lambda bench: bench.raw(b"List-Id: ", b"List-Id: =?utf-8?q?a?= "),
        "B8-encoded-list-header",
        {BYTES},
        "publication.yaml:5:10",
    ),
    "List-Id without brackets": (
        lambda bench: bench.raw(b"<digital.region.example.org>", b"digital.region.example.org"),
        "B12-list-id",
        set(),
        "publication.yaml:5:10",
    ),
    "List-Id of the month": (
        lambda bench: bench.replace("list_id: digital", "list_id: digital-2026"),
        "B12-list-id-changes",
        set(),
        "publication.yaml:5:10",
    ),
    "List-Id of others": (
        lambda bench: bench.replace("list_id: digital.region.example.org", "list_id: digital.example.com"),
        "B12-list-id-elsewhere",
        set(),
        "publication.yaml:5:10",
    ),
    "no Precedence": (
        lambda bench: bench.raw(b"Precedence: bulk", b"Precedence: list"),
        "B14-precedence",
        set(),
        "issue.yaml:1:1",
    ),
    "HTML first": (
        html_first,
        "B16-structure",
        {BYTES, "B23-preheader-not-first", "L15-notice-not-linked", "L7-no-way-out", *NO_PAGE},
        "issue.yaml:1:1",
    ),
    "Base64": (
        lambda bench: bench.raw(b"Content-Transfer-Encoding: quoted-printable", b"Content-Transfer-Encoding: base64"),
        "B16-base64-text",
        {BYTES, "L7-no-way-out", "L13-imprint-incomplete", "A17-link-missing", "A17-words-missing"},
        "issue.yaml:1:1",
    ),
    "bare LF": (lambda bench: bench.raw(b"\r\n\r\n", b"\r\n\n\r\n"), "B18-line-ends", {BYTES}, "issue.yaml:1:1"),
    "a long line": (
        lambda bench: bench.raw(b"MIME-Version: 1.0", b"X-Line: " + b"x" * 1000 + b"\r\nMIME-Version: 1.0"),
        "B18-line-too-long",
        {BYTES},
        "issue.yaml:1:1",
    ),
    "umlaut in a header": (
        lambda bench: bench.raw(b"Staatskanzlei", "Präsidium".encode()),
        "B19-raw-header",
        {BYTES},
        "issue.yaml:1:1",
    ),
    "a large issue": (padded(70_000), "B21-html-large", set(), "issue.yaml:6:3"),
    "a huge issue": (padded(100_000), "B21-html-cut", set(), "issue.yaml:6:3"),
    "a C1 control": (
        lambda bench: bench.html("Dreihundert Gäste", "Dreihundert Gäste\x92"),
        "B21-control-characters",
        set(),
        "issue.yaml:15:11",
    ),
    "an attachment of 1 MB": (attached(900_000), "B22-message-heavy", set(), "issue.yaml:1:1"),
    "an attachment of 8 MB": (attached(8_000_000), "B22-message-too-heavy", set(), "issue.yaml:1:1"),
    "a Bcc": (
        lambda bench: bench.raw(b"Subject: ", b"Bcc: b@example.org\r\nSubject: "),
        "B27-to-not-one",
        {BYTES},
        "issue.yaml:1:1",
    ),
    "no preheader": (
        lambda bench: bench.replace(f"preheader: {PREHEADER}\n", ""),
        "B23-no-preheader",
        set(),
        "issue.yaml:1:1",
    ),
    "a short preheader": (
        lambda bench: bench.replace(PREHEADER, "Neues."),
        "B23-preheader-length",
        set(),
        "issue.yaml:3:12",
    ),
    "preheader like the subject": (
        lambda bench: bench.replace(
            PREHEADER,
            f"{SUBJECT}!",
        ),
        "B23-preheader-repeats",
        set(),
        "issue.yaml:3:12",
    ),
    "preheader hidden by the layout": (
        lambda bench: bench.layout("layout.mjml.j2", "<p>{{ issue.preheader }}</p>", "<p>Hallo</p>"),
        "B23-preheader-not-first",
        set(),
        "layout.mjml.j2",
    ),
    "a long subject": (
        lambda bench: bench.replace(
            "Rückblick auf den Kongress", "Rückblick auf den Kongress in der großen Stadthalle am Fluss bei Regen"
        ),
        "B24-subject-long",
        set(),
        "issue.yaml:2:10",
    ),
    "a subject in capitals": (
        lambda bench: bench.replace(SUBJECT, "RÜCKBLICK AUF DEN KONGRESS"),
        "B24-subject-shouts",
        set(),
        "issue.yaml:2:10",
    ),
    "a subject like an answer": (
        lambda bench: bench.replace(SUBJECT, f'"AW: {SUBJECT}"'),
        "B24-subject-fakes-reply",
        set(),
        "issue.yaml:2:10",
    ),
    "two pictograms": (
        lambda bench: bench.replace("und neue Termine", "und neue Termine 🎉📅"),
        "B24-subject-emoji",
        set(),
        "issue.yaml:2:10",
    ),
    "a sender called info": (
        lambda bench: bench.replace("{name: Staatskanzlei,", "{name: Newsletter,"),
        "L14-sender-without-name",
        set(),
        "publication.yaml:4:16",
    ),
    "no answers": (
        lambda bench: bench.replace("redaktion@region", "no-reply@region"),
        "L14-no-reply",
        set(),
        "publication.yaml:4:79",
    ),
    "a counting pixel": (
        lambda bench: bench.html(
            "</body>",
            '<img src="https://news.example.org/p.gif" alt="" width="1" height="1" style="display:block;height:auto"></body>',
        ),
        "L11-tracking-pixel",
        {"A1-no-language"},
        "layout.mjml.j2",
    ),
    "a campaign parameter": (
        lambda bench: bench.replace("https://www.example.org/kongress", "https://www.example.org/kongress?a=1&utm_source=mail"),
        "L11-tracking-parameter",
        set(),
        "issue.yaml:10:35",
    ),
    "a short link": (
        lambda bench: bench.replace("https://www.example.org/vortraege", "https://bit.ly/abc"),
        "L11-redirect",
        set(),
        "issue.yaml:16:48",
    ),
    "no imprint": (
        lambda bench: bench.html("Hauptstraße 1", "am Fluss"),
        "L13-imprint-incomplete",
        set(),
        "publication.yaml:9:11",
    ),
    "a post-office box": (
        lambda bench: bench.replace("Hauptstraße 1", "Postfach 12 34"),
        "L13-post-box",
        set(),
        "publication.yaml:9:11",
    ),
    "no telephone": (lambda bench: bench.replace("  phone: 030 23125 417\n", ""), "L13-no-phone", set(), "publication.yaml:8:3"),
    "nobody responsible": (
        lambda bench: bench.replace("  responsible: Dr. Ada Beispiel, Anschrift wie oben\n", ""),
        "L13-nobody-responsible",
        set(),
        "publication.yaml:8:3",
    ),
    "no privacy notice": (
        lambda bench: bench.replace("privacy_url: https://www.example.org/datenschutz\n", ""),
        "L15-no-privacy-notice",
        set(),
        "publication.yaml:1:1",
    ),
    "no accessibility statement": (
        lambda bench: bench.replace("accessibility_url: https://www.example.org/barrierefreiheit\n", ""),
        "L15-no-accessibility-statement",
        set(),
        "publication.yaml:1:1",
    ),
    "a notice that nobody can reach": (
        lambda bench: bench.html("https://www.example.org/datenschutz", "https://www.example.org/daten"),
        "L15-notice-not-linked",
        set(),
        "publication.yaml:15:14",
    ),
    "a picture of nobody": (lambda bench: bench.replace(", credit: A. Foto", ""), "L16-no-credit", set(), "issue.yaml:14:18"),
    "no way out": (
        lambda bench: bench.edition(lambda edition: replace(edition, text=type(edition.text)(edition.text.pieces[:-2]))),
        "L7-no-way-out",
        set(),
        "layout.mjml.j2",
    ),
    "the address in a link": (
        lambda bench: bench.replace("https://www.example.org/vortraege", "https://www.example.org/?an=ada.lovelace@example.org"),
        "L19-recipient-in-address",
        set(),
        "issue.yaml:16:48",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_broken_edition_is_caught_by_its_rule(bench: Bench, name: str) -> None:
    breaking, rule, others, place = CASES[name]
    breaking(bench)
    findings = bench.check().findings
    assert {finding.rule.id for finding in findings} - others == {rule}
    assert {finding.rule.id for finding in findings} >= others
    found = [str(finding.at).rpartition("/")[2] for finding in findings if finding.rule.id == rule]
    assert found[0] == place
    assert all("{" not in finding.message(language) for finding in findings for language in ("en", "de"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SUBJECT, "Neues aus dem LAND und von der EU"),
        (SUBJECT, "Area 51, Rückblick, Award und Antwort der Regierung 🎉"),
        ("https://www.example.org/kongress", "https://www.example.org/kongress?pk=1&seite=utm"),
        ("https://www.example.org/kongress", "https://bit.ly.example.org/kongress"),
        ("list_id: digital.region.example.org", "list_id: agenda-2030x.region.example.org"),
        ("list_id: digital.region.example.org", "list_id: region.example.org"),
        ("Hauptstraße 1", "Am Postfachweg 1"),
    ],
)
def test_what_only_looks_like_a_mistake_is_none(bench: Bench, old: str, new: str) -> None:
    assert old in ISSUE or old in (bench.workspace.issues / "publication.yaml").read_text(encoding="utf-8")
    bench.replace(old, new)
    assert bench.check().findings == ()
