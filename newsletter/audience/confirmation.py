"""A sign-up becomes the mail that asks to confirm it: what it is about, one link, the imprint, and no advertising (L4)."""

import datetime as dt
from html import escape
from pathlib import Path
from typing import Literal

from newsletter.compose.edition import Edition, Headers, Part, Slot
from newsletter.issue.model import Publication
from newsletter.language import language
from newsletter.message import MessageTemplate, message_id
from newsletter.message.stuffed import Stuffed

#: ``join``: to become a subscriber; ``known``: he is one already; ``move``: to get the mail under this address.
Asked = Literal["join", "known", "move"]
#: Days in which a link must be used (L5).
DAYS = 7

_LINK = "link"
#: What stands for the link, which is a secret, where the mail is kept as proof.
_HIDDEN = "[…]"
_BUTTON = "display:inline-block;padding:12px 24px;border-radius:6px;background:#0b5a7a;color:#ffffff;font-weight:bold"
_BODY = "margin:0;padding:24px;font:16px/1.6 'Segoe UI',Roboto,Arial,sans-serif"


class Confirmations:
    """The mails of one publication, in its language. ``catalogues`` is the folder of the workspace's own words."""

    def __init__(self, publication: Publication, catalogues: Path | None = None) -> None:
        self._publication = publication
        self._say = language(publication.language, catalogues).say
        self._direction = language(publication.language, catalogues).direction
        kinds: tuple[Asked, ...] = ("join", "known", "move")
        self._editions = {kind: self._edition(kind) for kind in kinds}
        self._templates = {
            kind: MessageTemplate(edition, one_click=False, automatic=True) for kind, edition in self._editions.items()
        }

    @property
    def sender(self) -> str:
        """The address that the mails come from."""
        return self._publication.sender.email

    @property
    def declaration(self) -> str:
        """What somebody declares by sending the form: shown there, and again in the mail (L3)."""
        say, name = self._say, self._publication.name
        return say(
            "I want to receive “{name}” by e-mail. I can withdraw this at any time with the link in every issue.", name=name
        )

    def kept(self, kind: Asked) -> str:
        """The text of the mail as it is kept for the proof, without the link."""
        return self._editions[kind].text.fill({_LINK: _HIDDEN})

    def number(self, key: bytes) -> str:
        """The Message-ID of the mail for the request of this key."""
        return message_id(f"confirm:{key.hex()}", 0, self._templates["join"].domain)

    def write(self, kind: Asked, *, to: str, link: str, key: bytes, date: dt.datetime) -> Stuffed:
        """The whole message. Raises :class:`~newsletter.message.HeaderError` where the address cannot stand in a header."""
        template = self._templates[kind]
        return template.build_stuffed(to=to, values={_LINK: link}, message_id=self.number(key), date=date)

    def _edition(self, kind: Asked) -> Edition:
        subject, before, button, after = self._words(kind)
        said = self._publication
        headers = Headers(
            said.sender.name or said.name, said.sender.email, said.sender.reply_to, said.own_list_id, said.name, said.language
        )
        rest = "\n\n".join(after) + "\n\n-- \n" + "\n".join(self._imprint()) + "\n"
        text = ("\n\n".join(before) + f"\n\n{button}:\n", Slot(_LINK, None, "plain"), f"\n\n{rest}")
        return Edition(
            title=subject,
            headers=headers,
            subject=Part((subject,)),
            text=Part(text),
            html=self._html(subject, before, button, after),
        )

    def _words(self, kind: Asked) -> tuple[str, list[str], str, list[str]]:
        """Subject, the paragraphs before the link, what the link says, the paragraphs behind it."""
        say, name = self._say, self._publication.name
        stranger = say("If it was not you, you need not do anything.")
        match kind:
            case "join":
                return (
                    say("Please confirm: {name}", name=name),
                    [
                        say("Somebody, probably you, has entered this address to receive “{name}” by e-mail.", name=name),
                        say("Your declaration: {declaration}", declaration=self.declaration),
                        say("Please confirm it within {days} days.", days=str(DAYS)),
                    ],
                    say("Open the page to confirm"),
                    [say("If it was not you, you need not do anything: you will get no issue, and the address is deleted.")],
                )
            case "known":
                return (
                    say("You receive {name} already", name=name),
                    [
                        say("Somebody, probably you, has entered this address to receive “{name}” by e-mail.", name=name),
                        say("It is on the list already: there is nothing to do. Here you can change what you receive, or leave."),
                    ],
                    say("Open your settings"),
                    [stranger],
                )
            case "move":
                return (
                    say("Please confirm your new address: {name}", name=name),
                    [
                        say("Somebody, probably you, wants to receive “{name}” under this address from now on.", name=name),
                        say("Please confirm it within {days} days.", days=str(DAYS)),
                    ],
                    say("Open the page to confirm"),
                    [stranger],
                )

    def _imprint(self) -> list[str]:
        imprint, publication = self._publication.imprint, self._publication
        lines = [
            imprint.organisation,
            imprint.department,
            imprint.street,
            f"{imprint.postal_code} {imprint.city}",
            imprint.country,
        ]
        lines.append(imprint.email)
        if imprint.phone:
            lines.append(self._say("Phone: {phone}", phone=imprint.phone))
        if publication.privacy_url:
            lines.append(f"{self._say('Privacy')}: {publication.privacy_url}")
        return [line for line in lines if line]

    def _html(self, subject: str, before: list[str], button: str, after: list[str]) -> Part:
        tag = self._publication.language
        head = (
            f'<!doctype html>\n<html lang="{escape(tag)}" dir="{self._direction}">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta name="color-scheme" content="light dark">\n<title>{escape(subject)}</title>\n</head>\n'
            f'<body style="{_BODY}">\n<div style="max-width:560px;margin:0 auto">\n<h1 style="font-size:20px;line-height:1.3">'
            f"{escape(subject)}</h1>\n"
        )
        words = "\n".join(f"<p>{escape(words)}</p>" for words in before)
        rest = "\n".join(f"<p>{escape(words)}</p>" for words in after)
        imprint = "<br>\n".join(map(_linked, self._imprint()))
        return Part(
            (
                f'{head}{words}\n<p><a style="{_BUTTON}" href="',
                Slot(_LINK, None, "url"),
                f'">{escape(button)}</a></p>\n{rest}\n<p style="font-size:14px">{imprint}</p>\n</div>\n</body>\n</html>\n',
            )
        )


def _linked(line: str) -> str:
    """A line of the imprint; the address behind ``Privacy:`` becomes a link."""
    words, _, url = line.partition(": ")
    return f'<a href="{escape(url)}">{escape(words)}</a>' if url.startswith("http") else escape(line)
