"""Spliced messages against two slow oracles: ``EmailMessage``, and a MIME reader of our own on the bytes alone."""

import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter.compose.edition import UNSUBSCRIBE, Edition, MissingValue, Part, Slot
from newsletter.message.headers import HeaderError
from newsletter.message.recheck import recheck
from newsletter.message.template import MessageTemplate
from tests.thorough import examples

MakeEdition = Callable[..., Edition]
Build = Callable[..., bytes]

AWKWARD = [
    *(
        "ü",
        "ß",
        "😀",
        "👩\u200d👩\u200d👧",
        "e\u0301",
        "مرحبا",
        "\u202eabc",
        "\ufeff",
        "\xa0",
        "𝔘",
        "\ud800",
        "\0",
        "\x1b",
        "\x7f",
        "\x85",
    ),
    *(
        "\t",
        " ",
        "  ",
        "\r",
        "\n",
        "\r\n",
        "\u2028",
        "\r\n.\r\n",
        "\r\nBcc: evil@example.org\r\n\r\n",
        ".",
        "..",
        "From ",
        "--",
        "--=_",
    ),
    *(
        "=",
        "=\r\n",
        "=3D",
        "=_",
        "=?utf-8?q?=0D=0ABcc:_evil@example.org?=",
        "<b>",
        "&",
        "&amp;",
        '"',
        "'",
        "{{ name }}",
        "%s",
        "\\1",
    ),
    *("a" * 74, "a" * 75, "a" * 76, "ü" * 300, "https://example.org/" + "x" * 90),
]
values = st.one_of(
    st.text(max_size=150), st.lists(st.one_of(st.sampled_from(AWKWARD), st.text(max_size=8)), max_size=6).map("".join)
)
recipients = st.fixed_dictionaries({}, optional={"first_name": values, "name": values, "town": values})
static = values.map(lambda text: text.replace("\ud800", ""))


def slots(places: list[str]) -> st.SearchStrategy[Slot]:
    names = st.sampled_from(["first_name", "name", "town"])
    return st.builds(Slot, names, st.one_of(st.just(""), st.just("Leute "), static), st.sampled_from(places))


def parts(places: list[str]) -> st.SearchStrategy[Part]:
    pieces = st.lists(st.one_of(static, slots(places)), max_size=7)
    return pieces.map(lambda found: Part(tuple(found)))


def expected(part: Part, given: dict[str, str]) -> str:
    """The part as filled, line breaks as LF. A break stands in one piece: a CR before a slot and a LF after it are two."""
    runs: list[str] = []
    joined = False
    for piece in part.pieces:
        text = piece if isinstance(piece, str) else piece.fill(given)
        if isinstance(piece, str) and joined:
            runs[-1] += text
        else:
            runs.append(text)
        joined = isinstance(piece, str)
    return "".join(map(lines_of, runs))


def lines_of(text: str) -> str:
    return re.sub(r"\r\n|\r", "\n", text)


def read_by_library(raw: bytes) -> list[str]:
    message = message_from_bytes(raw, policy=default)
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert not any(part.defects for part in message.walk())
    return [lines_of(part.get_content()) for part in message.iter_parts()]


def read_by_hand(raw: bytes) -> list[str]:
    """RFC 2046 §5.1.1 in four lines: what stands between the boundary lines, less the line break that belongs to them."""
    head, body = raw.split(b"\r\n\r\n", 1)
    found = re.search(rb'boundary="([^"]+)"', head)
    assert found is not None
    opening, *bodies, closing = (b"\r\n" + body).split(b"\r\n--" + found[1])
    assert (opening, closing) == (b"", b"--\r\n")
    contents = [part.split(b"\r\n\r\n", 1)[1] for part in bodies]
    return [lines_of(binascii.a2b_qp(content).decode()) for content in contents]


def by_email_message(edition: Edition, given: dict[str, str]) -> list[str]:
    message = EmailMessage(policy=SMTP)
    message.set_content(edition.text.fill(given), cte="quoted-printable")
    message.add_alternative(edition.html.fill(given), subtype="html", cte="quoted-printable")
    return read_by_library(message.as_bytes())


def ends_in_break(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"


def check_form(raw: bytes) -> None:
    """B16, B18, B19: CRLF only, ASCII, QP lines of at most 76, header lines of at most 998."""
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", raw)
    assert raw.isascii()
    head, body = raw.split(b"\r\n\r\n", 1)
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76


@given(given_values=recipients)
@settings(max_examples=examples(700), deadline=None)
@example(given_values={"first_name": "Jörg ", "name": "." * 80, "town": "a" * 75})
def test_every_value_arrives_as_email_message_would_send_it(
    given_values: dict[str, str], make_edition: MakeEdition, build: Build
) -> None:
    name, town = Slot("name", "Leute", "text"), Slot("town", "", "attribute")
    edition = make_edition(
        text=Part(
            (
                "Liebe ",
                Slot("first_name", "Leute", "plain"),
                ", aus\n",
                Slot("town", "nirgends", "plain"),
                "\n.\n",
                Slot("name", " ", "plain"),
                "\n",
            )
        ),
        html=Part(("<p>", name, town, '</p> \n<i title="', town, '">', name, "</i>\n")),
    )
    template = MessageTemplate(edition)
    raw = build(template, given_values)
    check_form(raw)
    wanted = [lines_of(edition.text.fill(given_values)), lines_of(edition.html.fill(given_values))]
    assert read_by_library(raw) == wanted
    assert read_by_hand(raw) == wanted
    assert by_email_message(edition, given_values) == wanted
    recheck(raw, template)


@given(text=parts(["plain"]), html=parts(["text", "attribute", "url", "plain"]), given_values=recipients)
@settings(max_examples=examples(400), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(text=Part(()), html=Part((Slot("name", "", "text"),)), given_values={})
@example(
    text=Part(("a ", Slot("name", "", "plain"), " ")),
    html=Part((Slot("name", "", "text"), "\r", Slot("town", "\n", "text"))),
    given_values={},
)
def test_every_edition_arrives(
    text: Part, html: Part, given_values: dict[str, str], make_edition: MakeEdition, build: Build
) -> None:
    edition = make_edition(text=text, html=html)
    raw = build(MessageTemplate(edition), given_values)
    check_form(raw)
    wanted = [expected(text, given_values), expected(html, given_values)]
    assert read_by_library(raw) == wanted
    assert read_by_hand(raw) == wanted
    if wanted == [lines_of(text.fill(given_values)), lines_of(html.fill(given_values))]:  # no break is cut in two
        # EmailMessage ends each part with a line break, wanted or not.
        assert by_email_message(edition, given_values) == [ends_in_break(content) for content in wanted]


def test_every_length_of_piece_and_value(make_edition: MakeEdition, build: Build) -> None:
    for filling in ("a", "ü", "a ", "."):
        for length in range(60, 90):
            edition = make_edition(
                text=Part((filling * length, Slot("first_name", None, "plain"), Slot("first_name", None, "plain"), filling * 80))
            )
            raw = build(MessageTemplate(edition), {"first_name": filling * (150 - length) + "x"})
            check_form(raw)
            assert read_by_hand(raw)[0] == edition.text.fill({"first_name": filling * (150 - length) + "x"})


def test_no_part_ends_inside_a_soft_break(make_edition: MakeEdition, build: Build) -> None:
    edition = make_edition(html=Part(("<p>", Slot("first_name", None, "text"))))
    assert b"\r\n=\r\nJ=C3=B6rg\r\n--=_" not in build(MessageTemplate(edition))
    assert b"<p>=\r\nJ=C3=B6rg\r\n--=_" in build(MessageTemplate(edition))


def test_same_arguments_same_bytes_and_other_values_do_not_stay(make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(make_edition())
    first = build(template)
    build(template, {"first_name": "Someone else"}, to="other@example.net", date=datetime(2030, 1, 1, tzinfo=UTC))
    assert build(template) == first


def test_one_name_with_two_defaults(make_edition: MakeEdition, build: Build) -> None:
    edition = make_edition(text=Part((Slot("name", "eins", "plain"), " ", Slot("name", "zwei", "plain"))))
    assert read_by_hand(build(MessageTemplate(edition)))[0] == "eins zwei"


def test_the_same_value_is_escaped_in_html_only(make_edition: MakeEdition, build: Build) -> None:
    name = "<Müller> & 'Söhne' \"GmbH\""
    raw = build(MessageTemplate(make_edition()), {"first_name": name})
    text, html = read_by_hand(raw)
    assert text.startswith(f"Liebe {name},")
    assert html.startswith("<p>Liebe &lt;Müller&gt; &amp; &#x27;Söhne&#x27; &quot;GmbH&quot;</p>")


def test_a_missing_value_is_told(make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(make_edition(html=Part((Slot("town", None, "text"),))))
    with pytest.raises(MissingValue, match="town"):
        build(template)
    with pytest.raises(MissingValue, match="town"):
        build(template, {"town": " \t"})
    with pytest.raises(MissingValue, match=UNSUBSCRIBE):
        build(MessageTemplate(make_edition(text=Part(("x",)))), {UNSUBSCRIBE: ""})


def test_the_boundary_occurs_in_no_body_and_in_no_other_edition(make_edition: MakeEdition, build: Build) -> None:
    first, second = make_edition(), make_edition(text=Part(("--=_", Slot("first_name", None, "plain"), " =_")))
    one, two = (build(MessageTemplate(edition), {"first_name": "--=_" + edition.hash[:32]}) for edition in (first, second))
    boundaries = [re.findall(rb'boundary="(.*?)"', raw)[0] for raw in (one, two)]
    assert boundaries[0] != boundaries[1]
    assert [raw.count(boundary) for raw, boundary in zip((one, two), boundaries, strict=True)] == [4, 4]


@given(when=st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)), minutes=st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
@settings(max_examples=examples(200), deadline=None)
def test_the_date_is_the_moment_and_zone_given(when: datetime, minutes: int, make_edition: MakeEdition, build: Build) -> None:
    template = MessageTemplate(make_edition())
    for moment in (when.replace(tzinfo=UTC), when.replace(tzinfo=timezone(timedelta(minutes=minutes)))):
        line = re.findall(rb"^Date: (.*)\r$", build(template, date=moment), re.MULTILINE)[0].decode()
        assert re.search(r" [+-]\d{4}$", line)
        assert not line.endswith("-0000")  # B4
        assert parsedate_to_datetime(line) == moment.replace(microsecond=0)


@pytest.mark.parametrize("zone", [None, timezone(timedelta(minutes=53, seconds=28))], ids=["none", "local mean time"])
def test_a_date_without_a_usable_zone_is_refused(zone: timezone | None, make_edition: MakeEdition, build: Build) -> None:
    with pytest.raises(HeaderError, match="needs a time zone"):
        build(MessageTemplate(make_edition()), date=datetime(2024, 12, 1, tzinfo=zone))
