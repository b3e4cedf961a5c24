"""What a reply means: half a sentence for every refusal, by the best that the server gave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.meanings import meaning_of


@pytest.mark.parametrize(
    ("code", "enhanced", "reply", "meaning"),
    [
        (550, "5.1.1", "5.1.1 unknown", "there is no such mailbox"),
        (452, "4.2.2", "4.2.2 full", "for now, the mailbox is full"),
        (550, "5.2.99", "5.2.99 ?", "something is wrong with the mailbox"),
        (550, "5.9.9", "5.9.9 ?", "the mailbox cannot be reached, or the mail is refused"),
        (421, None, "closing", "for now, the mail server closes the connection"),
        (530, "5.7.0", "5.7.0 Authentication required", "the mail server wants a login first"),
        (530, "5.7.0", "5.7.0 Must issue a STARTTLS command first", "the mail server wants an encrypted connection first"),
        (599, None, "?", "the mail server refuses it"),
        (499, None, "?", "for now, the mail server cannot take it"),
        (
            450,
            "4.7.1",
            "Recipient address rejected: Greylisted",
            "the mail server does not know the sender yet and wants a second",
        ),
        (250, "2.0.0", "2.0.0 ok", None),
        (None, None, "the connection broke", None),
    ],
)
def test_what_it_means(code: int | None, enhanced: str | None, reply: str, meaning: str | None) -> None:
    found = meaning_of(code, enhanced, reply)
    assert (found is None) if meaning is None else (found or "").startswith(meaning)


@given(st.integers(400, 599), st.integers(0, 9), st.integers(0, 40))
def test_every_refusal_means_something(code: int, subject: int, detail: int) -> None:
    assert meaning_of(code, f"{code // 100}.{subject}.{detail}", None)
