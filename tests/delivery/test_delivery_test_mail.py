"""Tests on the wire: encrypted as every mail, one answer for each address, also where the server breaks off."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from newsletter.delivery.mail import Mail
from newsletter.delivery.server import Server, Timeouts
from newsletter.delivery.test_mail import MOST, send_tests
from newsletter.message.stuffed import stuffed
from newsletter.problem import InputError

if TYPE_CHECKING:
    from newsletter.delivery.test_mail import Answer
    from tests.delivery.conftest import Sink

SHORT = Timeouts(connect=5, command=0.5, data=0.5, final=0.5, quit=0.5)


def mails(count: int) -> list[Mail]:
    return [Mail("n@example.org", f"p{number}@example.net", stuffed(b"Subject: x\r\n\r\nx\r\n")) for number in range(count)]


def send(sink: "Sink", count: int = 3, security: str = "none", messages: int | None = None) -> "list[Answer]":
    async def run() -> "list[Answer]":
        async with sink.serve():
            server = Server("127.0.0.1", sink.port, security, messages=messages, timeouts=SHORT)
            return await send_tests([server], mails(count))

    return asyncio.run(run())


def test_one_connection_carries_all(sink: "Sink") -> None:
    answers = send(sink)
    assert [answer.taken for answer in answers] == [True, True, True]
    assert [answer.address for answer in answers] == sink.recipients == ["p0@example.net", "p1@example.net", "p2@example.net"]
    assert sink.connections == 1


def test_a_worn_connection_is_made_anew(sink: "Sink") -> None:
    assert all(answer.taken for answer in send(sink, messages=1))
    assert sink.connections == 3


def test_where_the_server_breaks_off_the_others_still_get_theirs(sink: "Sink") -> None:
    sink.answers = lambda step, recipient: "drop" if (step, recipient) == ("RCPT", "p1@example.net") else None
    answers = send(sink)
    assert answers[0].taken
    assert answers[2].taken
    assert answers[1].words.startswith("not sent: the connection broke before the message was sent")


def test_what_may_have_arrived_is_called_uncertain(sink: "Sink") -> None:
    sink.answers = lambda step, _recipient: "taken, then dropped" if step == "end" else None
    (answer,) = send(sink, 1)
    assert not answer.taken
    assert answer.words.startswith("uncertain: no answer came after the message was sent")


def test_who_refuses_the_login_is_passed_over(sink: "Sink", trusting: Any) -> None:
    other = type(sink)(extensions=sink.extensions)
    for one, password in ((sink, "right"), (other, "wrong")):
        one.offer_tls, one.password = True, password

    async def run() -> "list[Answer]":
        async with sink.serve(), other.serve():
            login: dict[str, Any] = {"username": "office", "password": SecretStr("right"), "context": trusting}
            first = Server("127.0.0.1", other.port, "starttls", weight=2, timeouts=SHORT, **login)
            return await send_tests([Server("127.0.0.1", sink.port, "starttls", timeouts=SHORT, **login), first], mails(2))

    answers = asyncio.run(run())
    assert [answer.taken for answer in answers] == [True, True]
    assert (len(sink.recipients), other.connections, other.recipients) == (2, 1, [])


def test_without_encryption_nothing_leaves(sink: "Sink") -> None:
    with pytest.raises(InputError, match=r"nothing was sent: .* does not offer STARTTLS"):
        send(sink, security="starttls")
    assert not sink.recipients


def test_too_many_are_refused_before_anything_is_asked(sink: "Sink") -> None:
    with pytest.raises(InputError, match=f"{MOST + 1} addresses are more than a test"):
        send(sink, MOST + 1)
    assert sink.connections == 0
