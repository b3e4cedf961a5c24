"""What a mail becomes when nobody in particular reads it, piece by piece."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Part, PictureFile, Slot
from newsletter.web.issue_page import open_graph_locale, summary_of
from newsletter.web.public_html import for_everyone, framed, line_for_everyone, picture_to_share, unframed, with_pictures_at
from tests.web.conftest import make_edition

NAME = Slot("name", None, "text")
LEAVE, SEE = Slot(UNSUBSCRIBE, None, "url"), Slot(VIEW, None, "url")


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (("<p>Liebe ", NAME, ", guten Tag</p>"), "<p>Liebe, guten Tag</p>"),
        (("<p>Hallo ", NAME, " und alle</p>"), "<p>Hallo und alle</p>"),
        (("<p>", NAME, ", guten Tag</p>"), "<p>guten Tag</p>"),
        (("<p>(", NAME, ")</p>"), "<p>()</p>"),
        (("<p>Hallo ", Slot("name", "R&D", "text"), "!</p>"), "<p>Hallo R&amp;D!</p>"),
        (("<p>Hallo ", Slot("name", "", "text"), "!</p>"), "<p>Hallo!</p>"),
        ((NAME, "x"), "x"),
        (("x ", NAME), "x "),
    ],
)
def test_an_empty_field_leaves_no_hole(pieces: tuple[str | Slot, ...], shown: str) -> None:
    assert for_everyone(Part(pieces)) == shown


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (("<td><p>Nicht mehr?<br><a class=x href='", LEAVE, "'>ab</a></p><p>b</p></td>"), "<td><p>b</p></td>"),
        (('<p>a</p><p><a href="', SEE, '">im Browser</a></p>'), "<p>a</p>"),
        (('<p><a href="', SEE, '">ansehen</a> · <a href="/x">x</a></p>'), '<p> · <a href="/x">x</a></p>'),
        (('<td><a href="', LEAVE, '">ab</a></td>'), "<td></td>"),
        (('<p>a</p><a href="', LEAVE, '">ab</a><p>b</p>'), "<p>a</p><p>b</p>"),
        (("<pre><a href='", LEAVE, "'>ab</a></pre><p>b</p>"), "<pre></pre><p>b</p>"),
        (("<p>Adresse: ", SEE, "</p>"), "<p>Adresse: </p>"),
        (('<a href="', SEE, '">1</a><a href="', SEE, '">2</a>'), ""),
    ],
)
def test_links_of_a_recipient_go_with_their_paragraph(pieces: tuple[str | Slot, ...], shown: str) -> None:
    assert for_everyone(Part(pieces)) == shown


slots = st.builds(Slot, st.sampled_from(["name", VIEW, UNSUBSCRIBE]), st.none() | st.text(max_size=5), st.just("url"))


@given(st.lists(st.text(alphabet="<>ap/ =\"'h,.", max_size=8) | slots, max_size=8))
def test_no_mark_is_ever_left_over(pieces: list[str | Slot]) -> None:
    shown = for_everyone(Part(tuple(pieces)))
    assert "\ufdd0" not in shown
    assert "\ufdd1" not in shown


def test_a_subject_is_one_line_without_its_title() -> None:
    edition = make_edition("x")
    assert summary_of(replace(edition, subject=Part(("Ausgabe 4: Fähre & Bus",)))) == "Fähre & Bus"
    assert summary_of(replace(edition, subject=Part((Slot("name", None, "plain"), ", Neues ")))) == "Neues"
    assert summary_of(replace(edition, subject=Part((NAME,)))) == "Ausgabe 4"
    assert line_for_everyone(Part(("R&D",))) == "R&D"


@given(st.text(), st.text())
def test_the_frame_comes_off_again(head: str, body: str) -> None:
    mail = f"<html><head>{head.replace('<', '')}</head><body style='a>b'>{body.replace('<', '')}</body></html>"
    share = '<aside id="newsletter-share" x><p>…</p></aside>'
    page = framed(mail, share)
    assert page.index(share) == page.index("<body style='a>b'>") + len("<body style='a>b'>")
    assert unframed(page) == mail
    assert unframed(framed(mail, "")) == mail


def test_a_head_takes_the_place_of_the_title() -> None:
    mail = "<html><head><title>T</title><style>x</style></head><body><p>b</p></body></html>"
    page = framed(mail, "A", "B", "<title>N</title>")
    assert page == ("<html><head><style>x</style><title>N</title></head><body>A<main><p>b</p></main>B</body></html>")
    assert framed("<p>x</p>", "A", "B") == "A<p>x</p>B"


def test_pictures_are_shown_from_here_wherever_the_mail_has_them() -> None:
    html = (
        '<img src="https://old.example/a/3f.png"> <td background="http://x.example/3f.png"> url(https://y.example/3f.png) '
        '<img src="cid:3f.png@list.example"> <img src="https://old.example/other.png"> <a href="https://z.example/">3f.png</a>'
    )
    shown = with_pictures_at(html, ["3f.png"], "https://n.example/pictures/{}".format)
    assert shown.count("https://n.example/pictures/3f.png") == 4
    assert "cid:" not in shown
    assert 'src="https://old.example/other.png"' in shown
    assert '<a href="https://z.example/">3f.png</a>' in shown
    assert with_pictures_at(html, [], str) == html


def test_a_logo_is_too_small_to_stand_for_a_page() -> None:
    logo, photo = PictureFile("1.png", "image/png", 900, 80, b""), PictureFile("2.jpg", "image/jpeg", 600, 400, b"")
    html = '<img alt="Wappen" src="x/1.png"><img src="x/2.jpg" alt="R&amp;D">'
    found = picture_to_share(html, [logo, photo])
    assert found is not None
    assert (found.file, found.alt) == (photo, "R&D")
    assert picture_to_share(html, [logo]) is None
    assert picture_to_share("", [photo]) is None


@pytest.mark.parametrize(
    ("tag", "locale"), [("de", "de_DE"), ("de-AT", "de_AT"), ("en", "en_US"), ("en-GB", "en_GB"), ("ar", "ar_EG"), ("xx", "xx")]
)
def test_open_graph_wants_a_territory(tag: str, locale: str) -> None:
    assert open_graph_locale(tag) == locale
