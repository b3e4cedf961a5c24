"""The inbox takes what an independent client sends, byte by byte."""

import smtplib

import pytest

from newsletter.preview.inbox import Inbox


def test_keeps_what_it_accepts() -> None:
    raw = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nTo: a@example.org\r\n\r\n.leading dot\r\nend\r\n"
    with Inbox() as inbox:
        with smtplib.SMTP(inbox.host, inbox.port) as client:
            client.sendmail("from@example.org", ["a@example.org"], raw)
            client.sendmail("from@example.org", ["b@example.org", "c@example.org"], raw)
        first, second = inbox
        assert len(inbox) == 2
    assert first.sender == "from@example.org"
    assert (first.recipients, second.recipients) == (("a@example.org",), ("b@example.org", "c@example.org"))
    assert first.data == raw
    assert first.message["Subject"] == "Grüße"


def test_is_gone_after_its_block() -> None:
    with Inbox() as inbox:
        host, port = inbox.host, inbox.port
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP(host, port)
