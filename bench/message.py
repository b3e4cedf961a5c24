"""Messages a second: MessageTemplate against EmailMessage, on an invented newsletter of 60 kB (``python -m bench.message``)."""

import argparse
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime
from html import escape

from newsletter.compose.edition import UNSUBSCRIBE, VIEW, Edition, Headers, Part, Slot
from newsletter.links import Links
from newsletter.message.message_id import message_id
from newsletter.message.own_links import OwnLinks
from newsletter.message.template import MessageTemplate

EXPECTED_RATIO = 100
ROUNDS = 7
LINKS = Links("https://newsletter.example.org", b"a key for the bench, and for nothing else", "region.example.org")
WORDS = "die Region fördert digitale Angebote für Bürgerinnen und Bürger zwischen Verwaltung, Straße und Schule über größere Wege"


@dataclass(frozen=True)
class Measured:
    """Microseconds a message, the best of the rounds; ``with_tokens`` makes the two links and the Message-ID as well, ``by_mail``
    the mail to leave by, too.
    """

    spliced: float
    with_tokens: float
    by_mail: float
    email_message: float
    size: int

    @property
    def ratio(self) -> float:
        """How many times faster the spliced message is built."""
        return self.email_message / self.spliced


def sample_edition(size: int = 60_000) -> Edition:
    """An invented newsletter of about ``size`` characters of HTML, with the mark-up that mails have, and eight slots."""
    chance = random.Random(2024)
    blocks: list[str] = []
    paragraphs: list[str] = []
    while sum(map(len, blocks)) < size:
        paragraph = " ".join(chance.choices(WORDS.split(), k=60)).capitalize() + "."
        paragraphs.append(paragraph)
        blocks.append(
            '<table role="presentation" border="0" cellpadding="0" cellspacing="0" width="100%"><tbody><tr><td align="left" '
            'style="font-size:0px;padding:10px 25px;word-break:break-word;"><div style="font-family:Arial,sans-serif;'
            f'font-size:16px;line-height:1.5;text-align:left;color:#1b1b1b;">{escape(paragraph)}</div></td></tr></tbody></table>\n'
        )
    reader = "Leserinnen und Leser"
    html = (
        '<!DOCTYPE html>\n<html lang="de"><body style="margin:0"><p><a href="',
        *(Slot(VIEW, None, "url"), '">Im Browser ansehen</a></p><p>Liebe ', Slot("first_name", reader, "text"), ",</p>\n"),
        *("".join(blocks), "<p>An: ", Slot("name", None, "text"), ' · <a href="', Slot(UNSUBSCRIBE, None, "url")),
        '">Abmelden</a></p></body></html>\n',
    )
    text = (
        *("Im Browser ansehen: ", Slot(VIEW, None, "plain"), "\n\nLiebe ", Slot("first_name", reader, "plain"), ",\n\n"),
        *("\n\n".join(paragraphs[:12]), "\n\nAn: ", Slot("name", None, "plain")),
        *("\nAbmelden: ", Slot(UNSUBSCRIBE, None, "plain"), "\n"),
    )
    return Edition(
        title="Digitale Region, Ausgabe 4",
        headers=Headers("Digitale Region", "newsletter@example.org", None, "region.example.org", "Digitale Region", "de"),
        subject=Part(("Rückblick auf den Kongress, drei Fragen, neue Termine",)),
        text=Part(text),
        html=Part(html),
    )


def values_of(number: int) -> dict[str, str]:
    """What a recipient fills in, with tokens of the recipient's own."""
    return {
        "first_name": f"Jörg-{number}",
        "name": f"Jörg-{number} Müller & Söhne",
        VIEW: LINKS.view_url(1, number),
        UNSUBSCRIBE: LINKS.unsubscribe_url(1, number, LINKS.mark(f"reader{number}@example.net")),
    }


def by_email_message(edition: Edition, to: str, values: dict[str, str], identifier: str, date: datetime) -> bytes:
    """The same message as the standard library builds it."""
    message = EmailMessage(policy=SMTP)
    said = edition.headers
    message["Date"] = format_datetime(date)
    message["From"] = f"{said.from_name} <{said.from_email}>"
    message["To"] = to
    message["Subject"] = edition.subject.fill(values)
    message["Message-ID"] = identifier
    message["List-Id"] = f"{said.list_name} <{said.list_id}>"
    message["List-Unsubscribe"] = f"<{values[UNSUBSCRIBE]}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Precedence"] = "bulk"
    message.set_content(edition.text.fill(values), cte="quoted-printable")
    message.add_alternative(edition.html.fill(values), subtype="html", cte="quoted-printable")
    return message.as_bytes()


def measure(edition: Edition, n: int) -> Measured:
    """Build ``n`` messages a round in each way (EmailMessage: a fiftieth of them); in turn, so that a busy spell hits all.

    The edition's merge fields are ``first_name`` and ``name``, or have defaults. Raises ValueError where the two ways say
    different things.
    """
    template = MessageTemplate(edition)
    readers = [
        (f"reader{number}@example.net", values_of(number), message_id("bench", number, template.domain)) for number in range(n)
    ]
    now = datetime.now(UTC)
    to, values, identifier = readers[-1]
    spliced = template.build(to=to, values=values, message_id=identifier, date=now)
    if contents(spliced) != contents(by_email_message(edition, to, values, identifier, now)):
        raise ValueError("MessageTemplate and EmailMessage say different things")

    def splice() -> None:
        for to, values, identifier in readers:
            template.build(to=to, values=values, message_id=identifier, date=datetime.now(UTC))

    def splice_with_tokens() -> None:
        for number, (to, _, _) in enumerate(readers):
            identifier = message_id("bench", number, template.domain)
            template.build(to=to, values=values_of(number), message_id=identifier, date=datetime.now(UTC))

    by_mail = replace(edition, headers=replace(edition.headers, unsubscribe_email="leave@example.org"))
    template_by_mail, links = MessageTemplate(by_mail), OwnLinks(LINKS, by_mail.headers, "bench")

    def splice_by_mail() -> None:
        for number, (to, values, _) in enumerate(readers):
            identifier = message_id("bench", number, template.domain)
            own = {**values, **links.values(1, number, LINKS.mark(f"reader{number}@example.net"))}
            template_by_mail.build(to=to, values=own, message_id=identifier, date=datetime.now(UTC))

    few = readers[: max(1, n // 50)]

    def by_library() -> None:
        for to, values, identifier in few:
            by_email_message(edition, to, values, identifier, datetime.now(UTC))

    ways = (splice, splice_with_tokens, splice_by_mail)
    rounds = [(*(timed(way) / n for way in ways), timed(by_library) / len(few)) for _ in range(ROUNDS)]
    fast, with_tokens, and_by_mail, slow = (min(costs) * 1e6 for costs in zip(*rounds, strict=True))
    return Measured(fast, with_tokens, and_by_mail, slow, len(spliced))


def timed(run: Callable[[], None]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def contents(raw: bytes) -> list[str]:
    """What the parts say, line breaks as LF."""
    message = message_from_bytes(raw, policy=default)
    return [part.get_content().replace("\r\n", "\n") for part in message.walk() if not part.is_multipart()]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=1000, help="messages a round (1000)")
    found = measure(sample_edition(), parser.parse_args().n)
    print(f"message of {found.size / 1000:.0f} kB, best of {ROUNDS} interleaved rounds")
    for name, cost in (
        ("MessageTemplate.build", found.spliced),
        ("  with links and Message-ID made", found.with_tokens),
        ("  and with a mail to leave by", found.by_mail),
        ("EmailMessage", found.email_message),
    ):
        print(f"  {name:34} {cost:9.1f} µs {1e6 / cost:10,.0f} messages/s")
    print(f"  {found.ratio:.0f} times faster than EmailMessage (expected: at least {EXPECTED_RATIO})")


if __name__ == "__main__":
    main()
