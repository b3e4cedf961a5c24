"""Bytes become replies, wherever they are split."""

import pytest
from hypothesis import example, given
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
        (b"571 5.7.1 spam\r\n", [Reply(571, b"5.7.1 spam")]),
        (b"475-restricted\r\n475 try later\r\n", [Reply(475, b"restricted\ntry later")]),
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
        b"364 go\r\n",
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


def test_a_line_has_at_most_4096_octets() -> None:
    longest = b"250 " + b"x" * (LONGEST_LINE - 6) + b"\r\n"
    assert parse(longest) == ([Reply(250, b"x" * (LONGEST_LINE - 6))], "")
    for too_long in (b"250 x" + longest[4:], b"2" * LONGEST_LINE):
        replies, fault = parse(longest, too_long)
        assert len(replies) == 1
        assert "longer than 4096 octets" in fault


def test_text_that_is_no_utf8_is_shown() -> None:
    assert Reply(250, b"gr\xc3\xbc\xdfe").text == "grü\\xdfe"


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
        b"250 " + b"y" * LONGEST_LINE + b"\r\n",
        b"9",
    ]
)


@given(st.lists(LINES, max_size=12).map(b"".join), st.data())
def test_any_split_gives_the_same(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    parts = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert parse(*parts) == parse(stream) == parse(*(bytes([octet]) for octet in stream))


_LINES = st.lists(
    st.builds(
        b"%d%b%b".__mod__,
        st.tuples(
            st.sampled_from([250, 251, 252, 220, 354, 421, 550]), st.sampled_from([b" ", b"-", b""]), st.binary(max_size=9)
        ),
    ),
    min_size=3,
    max_size=5,
)


@given(_LINES, st.sampled_from([b"\r\n", b"\n"]), st.binary(max_size=3))
@example([b"250 2.0.0 queued", b"250 ok", b"250 ok", b"354 go"], b"\r\n", b"")
@example([b"250 2.0.0 queued", b"250 ok", b"250 ok", b"354 " + b"x" * 507], b"\r\n", b"")
def test_one_look_at_four_replies_finds_what_four_looks_find(lines: list[bytes], end: bytes, behind: bytes) -> None:
    data = b"".join(line + end for line in lines) + behind
    first = ReplyParser().feed_taken(data)
    replies, fault = parse(data)
    if first is not None:
        assert (replies[0], fault, behind) == (first, "", b"")
        assert [reply.code in good for reply, good in zip(replies, _GOOD, strict=True)] == [True] * 4


_GOOD = (range(200, 260), (250,), (250, 251, 252), (354,))


def test_four_usual_replies_are_taken_with_one_look_and_only_those() -> None:
    usual = b"250 2.0.0 Ok: queued as 4711\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data\r\n"
    assert ReplyParser().feed_taken(usual) == Reply(250, b"2.0.0 Ok: queued as 4711")
    begun = ReplyParser()
    assert begun.feed(b"250 a") == []
    for parser, data in ((begun, usual), (ReplyParser(), usual[:-2]), (ReplyParser(), usual.replace(b"354", b"554"))):
        assert parser.feed_taken(data) is None
