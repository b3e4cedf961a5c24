"""Editions whose links are broken: links.py and addresses.py."""

from collections.abc import Callable

import pytest

from tests.check.broken import Bench
from tests.check.table import ARTICLE, INNER, Broken, add, assert_found, body, put, replace, words


def link(address: str, label: str = "Bericht aus dem Saal") -> Callable[[Bench], None]:
    """A link of a layout, below the article; the text part has its address."""

    def change(bench: Bench) -> None:
        put(f'<p><a href="{address}" style="color:#085a6a">{label}</a></p>')(bench)
        bench.text(ARTICLE, f"{ARTICLE} {address}")

    return change


def markdown(label: str, address: str = "https://www.example.org/saal") -> Callable[[Bench], None]:
    """A link of the article, in line 16."""
    return body(f"Der Bericht: [{label}]({address})")


def view_link_at_the_end(bench: Bench) -> None:
    link = "<p><a href=\"{{ view_url }}\">{{ say('View “{title}” in the browser', title=issue.title) }}</a></p>"
    section = f'<mj-section background-color="#ffffff"><mj-column><mj-text>{link}</mj-text></mj-column></mj-section>'
    bench.layout("layout.mjml.j2", link, "")
    bench.layout("layout.mjml.j2", "</mj-body>", f"{section}</mj-body>")


TABLE = [
    Broken("H13-leads-nowhere", link("")),
    Broken("H13-leads-nowhere", link("#")),
    Broken("H13-leads-nowhere", link("/saal")),
    Broken("H13-leads-nowhere", link("www.example.org/saal")),
    Broken("H13-leads-nowhere", link("https:///saal")),
    Broken("H13-anchor-leads-nowhere", link("#saal")),
    Broken("H15-anchor-without-name", link("#saal", 'Zum <b id="saal">Saal</b>')),
    Broken("H13-other-scheme", link("ftp://www.example.org/saal")),
    Broken("H13-not-https", link("http://www.example.org/saal")),
    Broken("H13-own-computer", link("https://localhost:8080/saal")),
    Broken("H13-own-computer", link("https://192.168.4.4/saal")),
    Broken("H13-own-computer", markdown("Bericht aus dem Saal", "https://intranet/saal"), 16),
    Broken("H13-password-in-address", link("https://ada:geheim@www.example.org/saal")),
    Broken("H13-placeholder-in-address", link("https://www.example.org/{{saal}}")),
    Broken("H13-placeholder-in-address", link("[URL]")),
    Broken("H13-placeholder-in-address", link("https://www.example.org/?name=%s")),
    Broken("H13-mail-with-hidden-header", link("mailto:info@region.example.org?subject=a%0Abcc:x@example.org")),
    Broken("H13-says-other-address", markdown("www.beispiel.example", "https://www.example.org/"), 16),
    Broken("H13-says-other-address", markdown("redaktion@region.example.org", "mailto:info@region.example.org"), 16),
    Broken("H13-lookalike-host", markdown("Bericht aus dem Saal", "https://www.exаmple.org/saal"), 16),
    Broken("H14-view-link-late", view_link_at_the_end),
    Broken("A6-link-without-words", link("https://www.example.org/saal", "")),
    Broken("A6-link-says-nothing", markdown("Hier klicken!"), 16),
    Broken("A6-link-says-nothing", markdown("hier"), 16),
    Broken("A6-link-lacks-object", markdown("Mehr erfahren …"), 16),
    Broken("A6-link-lacks-object", add("  - {type: button, label: Weiterlesen, url: 'https://www.example.org/saal'}\n"), 17),
    Broken("A6-same-words-other-target", markdown("Bericht über den Kongress"), 16),
    Broken(
        "A6-link-says-nothing",
        words(
            '<p><a href="https://www.example.org/saal" style="color:#085a6a;text-decoration:underline">Link</a></p>',
            "Ein [Link](https://www.example.org/saal).",
        ),
        INNER,
    ),
]
FINE: dict[str, Callable[[Bench], object]] = {
    "words that begin with here": markdown("Hier wird gebaut: der neue Saal"),
    "more of something": markdown("Mehr Informationen zur Konferenz"),
    "a label that gets its object": replace("label: Alle Vorträge als Text", "label: Mehr erfahren"),
    "a host without www": markdown("example.org", "https://www.example.org/"),
    "a host in capitals, with a path": markdown("www.Example.org/saal", "https://www.example.org/saal?a=1"),
    "a file's name as words": markdown("bericht.pdf"),
    "an abbreviation with dots": markdown("Referat 4, Abt. III/z.B. Saal"),
    "a name with umlauts": markdown("www.münchen.example", "https://www.münchen.example/"),
    "a rehearsal": markdown("Bericht aus dem Saal", "http://127.0.0.1:8000/saal"),
    "a mail with a subject": markdown("An die Redaktion", "mailto:redaktion@region.example.org?subject=Zum%20Saal"),
    "a number": markdown("030 23125 417", "tel:+493023125417"),
    "an address with per cent": markdown("Bericht aus dem Saal", "https://www.example.org/a%20b%C3%A4"),
    "the same link twice": markdown("Bericht über den Kongress", "https://www.example.org/kongress"),
    "a name of another script": markdown("Bericht aus Minsk", "https://пример.бел/"),
    "the contents": add("  - type: contents\n"),
}


@pytest.mark.parametrize("broken", TABLE, ids=str)
def test_what_is_broken_is_found(bench: Bench, broken: Broken) -> None:
    assert_found(bench, broken)


@pytest.mark.parametrize("name", FINE)
def test_what_is_in_order_is_not(bench: Bench, name: str) -> None:
    FINE[name](bench)
    assert bench.rules() == set()
