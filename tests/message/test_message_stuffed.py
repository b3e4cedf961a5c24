"""Dots are doubled once for the edition and at each slot: the same bytes as if the whole message had been gone through."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition, Part, Slot
from newsletter.message.stuffed import stuffed
from newsletter.message.template import MessageTemplate
from tests.thorough import examples

MakeEdition = Callable[..., Edition]

LINKS = {VIEW: "https://n.example.org/view/x", UNSUBSCRIBE: "https://n.example.org/unsubscribe/x"}
TEXTS = st.lists(st.sampled_from([".", "..", "\n", "\r\n", "\r", "a", " ", "ü", "<", "x" * 74, "."]), max_size=8).map("".join)
SLOTS = [Slot("name", "", "plain"), Slot("town", ".", "text"), Slot("name", "", "text")]
PARTS = st.lists(st.one_of(TEXTS, st.sampled_from(SLOTS)), max_size=6).map(lambda pieces: Part(tuple(pieces)))


@given(text=PARTS, html=PARTS, name=TEXTS, town=TEXTS)
@settings(max_examples=examples(300), deadline=None)
@example(text=Part((SLOTS[0], ".")), html=Part((".", SLOTS[1])), name=".\n.", town="x" * 75 + ".")
@example(text=Part(("a\n", SLOTS[0], "\n.")), html=Part((SLOTS[0], SLOTS[1])), name="", town=".")
def test_built_stuffed_is_built_and_then_stuffed(make_edition: MakeEdition, text: Part, html: Part, name: str, town: str) -> None:
    template = MessageTemplate(make_edition(text=text, html=html))
    how: dict[str, Any] = {
        "to": "reader@example.net",
        "values": LINKS | {"name": name, "town": town},
        "message_id": f"<1.2@{template.domain}>",
        "date": datetime(2024, 12, 1, 10, 30, tzinfo=UTC),
    }
    plain = template.build(**how)
    built, expected = template.build_stuffed(**how), stuffed(plain)
    assert (built.data, built.size) == (expected.data, expected.size)
    assert stuffed(plain).size == len(plain)


@pytest.mark.parametrize(
    ("message", "data", "size"),
    [
        (b"", b"\r\n.\r\n", 2),
        (b".", b"..\r\n.\r\n", 3),
        (b"a\n.b\r..c", b"a\r\n..b\r\n...c\r\n.\r\n", 12),
        (b"a\r\n.\r\n", b"a\r\n..\r\n.\r\n", 6),
    ],
)
def test_any_line_end_becomes_crlf(message: bytes, data: bytes, size: int) -> None:
    made = stuffed(message)
    assert (made.data, made.size) == (data, size)


@given(st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"a", b"..", b"\r\n.\r\n", b"\n.\n"])).map(b"".join))
def test_the_final_dot_stands_alone(message: bytes) -> None:
    made = stuffed(message)
    data, size = made.data, made.size
    assert data.endswith(b"\r\n.\r\n")
    body = data[: -len(b".\r\n")]
    assert b"\r\n.\r\n" not in b"\r\n" + body  # S10: no end before the end
    assert body.count(b"\r\n") == body.count(b"\r") == body.count(b"\n")
    lines = [line[1:] if line.startswith(b".") else line for line in body.split(b"\r\n")]
    sent = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    assert lines == (sent if message.endswith((b"\r", b"\n")) else [*sent, b""])
    assert size == len(b"\r\n".join(lines))
