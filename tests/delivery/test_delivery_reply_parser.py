"""Bytes become replies, wherever they are split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.reply_parser import LONGEST_LINE, MOST_LINES, Reply, ReplyParser


def parse(*parts: bytes) -> tuple[list[Reply], str]:
    parser = ReplyParser()
    replies = [reply for part in parts for reply in parser.feed(part)]
    return replies, parser.fault


@pytest.mark.parametrize(
    ("stream", "replies"),
    [
        (b"250 ok\r\n", [Reply(250, b"ok")]),
        (b"250\r\n", [Reply(250, b"")]),
        (b"250 \r\n", [Reply(250, b"")]),
        (b"250 bare line feed\n354 go\r\n", [Reply(250, b"bare line feed"), Reply(354, b"go")]),
        (b"550-5.1.1 no\r\n550-\r\n550 such user\r\n", [Reply(550, b"5.1.1 no\n\nsuch user")]),
        (b"250-a\r\n250\r\n", [Reply(250, b"a\n")]),
        (b"250 a\r b\r\n", [Reply(250, b"a\r b")]),
        (b"250 ok\r\n421 by", [Reply(250, b"ok")]),
        (b"2", []),
    ],
)
def test_replies_are_read(stream: bytes, replies: list[Reply]) -> None:
    assert parse(stream) == (replies, "")


@pytest.mark.parametrize(
    "wrong",
    [
        b"\r\n",
        b"hello\r\n",
        b"250_ok\r\n",
        b"25 ok\r\n",
        b"2500 ok\r\n",
        b"150 ok\r\n",
        b"650 ok\r\n",
        b"260 ok\r\n",
        b" 250 ok\r\n",
        b"\x00250 ok\r\n",
        b"250-a\r\n251 b\r\n",
        b"250-x\r\n" * (MOST_LINES + 1),
    ],
)
def test_what_is_no_reply_ends_it_and_loses_nothing(wrong: bytes) -> None:
    replies, fault = parse(b"250 before\r\n" + wrong + b"250 behind\r\n")
    assert replies == [Reply(250, b"before")]
    assert "is no SMTP" in fault


def test_a_line_has_at_most_512_octets() -> None:
    longest = b"250 " + b"x" * (LONGEST_LINE - 6) + b"\r\n"
    assert parse(longest) == ([Reply(250, b"x" * (LONGEST_LINE - 6))], "")
    for too_long in (b"250 x" + longest[4:], b"2" * LONGEST_LINE):
        replies, fault = parse(longest, too_long)
        assert len(replies) == 1
        assert "longer than 512 octets" in fault


def test_text_that_is_no_utf8_is_shown() -> None:
    assert Reply(250, b"gr\xc3\xbc\xdfe").text == "grü\\xdfe"


LONG = b"250 " + b"y" * 600 + b"\r\n"
LINES = st.sampled_from(
    [
        b"250 ok\r\n",
        b"250-a\r\n",
        b"250 b\n",
        b"354\r\n",
        b"550-x\r\n",
        b"421 bye\r\n",
        b"what?\r\n",
        b"250 " + b"y" * 600 + b"\r\n",
        b"9",
    ]
)


@given(st.lists(LINES, max_size=12).map(b"".join), st.data())
def test_any_split_gives_the_same(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    parts = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert parse(*parts) == parse(stream) == parse(*(bytes([octet]) for octet in stream))
