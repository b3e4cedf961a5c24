"""What arrived in the inbox becomes its pages: a list, and each mail with its parts, headers and source."""

import re
from email.message import EmailMessage
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from newsletter.preview.guard import MAIL_POLICY
from newsletter.preview.inbox import Received
from newsletter.preview.look import Look

if TYPE_CHECKING:
    from newsletter.preview.app import Studio

_CID = re.compile(r"cid:([^\"'\s)>]+)")
#: The types that a browser shows and that can do nothing; all else is given out to be saved.
_SHOWN = ("image/png", "image/jpeg", "image/gif")
_PICTURES = "'self' http://127.0.0.1:* http://localhost:*"


class InboxPages:
    """The pages of the inbox of a studio."""

    def __init__(self, studio: "Studio", base: str) -> None:
        self._studio = studio
        self._base = base
        self._parsed = lru_cache(64)(lambda number: self._mails()[number - 1].message)

    @property
    def routes(self) -> list[BaseRoute]:
        """Where they are found."""
        return [
            Route("/inbox", self.arrived),
            Route("/inbox/{number:int}", self.mail),
            Route("/inbox/{number:int}/mail", self.frame),
            Route("/inbox/{number:int}/message.eml", self.eml),
            Route("/inbox/{number:int}/parts/{part:int}", self.part),
        ]

    def arrived(self, request: Request) -> Response:
        """The list, the newest first."""
        look = Look.of(request.query_params)
        mails = list(enumerate(self._mails(), 1))[::-1]
        rows = [(number, received, self._parsed(number)) for number, received in mails[:500]]
        server = f"{self._studio.inbox.host}:{self._studio.inbox.port}"
        return self._studio.page("inbox", look, base=self._base, rows=rows, server=server)

    def mail(self, request: Request) -> Response:
        """One mail."""
        look = Look.of(request.query_params)
        received, message = self._named(request)
        return self._studio.page(
            "received",
            look,
            base=self._base,
            number=request.path_params["number"],
            received=received,
            message=message,
            parts_=_parts(message),
            html=_body(message, "html"),
            text=_body(message, "plain"),
            head=received.data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace"),
            source=received.data.decode("utf-8", "replace"),
        )

    def frame(self, request: Request) -> Response:
        """Its HTML for the frame, where nothing runs and nothing is fetched but from this machine."""
        _, message = self._named(request)
        html = _body(message, "html")
        if html is None:
            raise HTTPException(404)
        parts = f"{self._base}/inbox/{request.path_params['number']}/parts/"
        names = {str(part["Content-ID"]).strip("<> "): number for number, part in _parts(message) if part["Content-ID"]}

        def inside(found: re.Match[str]) -> str:
            number = names.get(found[1].replace("%40", "@"))
            return found[0] if number is None else escape(f"{parts}{number}")

        policy = MAIL_POLICY.format(pictures=_PICTURES, may="allow-popups allow-popups-to-escape-sandbox")
        if known := self._studio.pictures:
            anywhere = re.compile(rf"[^\"'\s(]*/({'|'.join(map(re.escape, known))})(?=[\"')])")
            html = anywhere.sub(lambda found: f"{self._base}/pictures/{found[1]}", html)
        linked = re.sub(r"(<head[^>]*>)", r'\1<base target="_blank">', html, count=1)
        return Response(_CID.sub(inside, linked), headers={"Content-Security-Policy": policy}, media_type="text/html")

    def eml(self, request: Request) -> Response:
        """The bytes as they came."""
        received, _ = self._named(request)
        headers = {"Content-Disposition": f'attachment; filename="message-{request.path_params["number"]}.eml"'}
        return Response(received.data, headers=headers, media_type="message/rfc822")

    def part(self, request: Request) -> Response:
        """One part, decoded: a picture to be shown, anything else to be saved, whatever it calls itself."""
        _, message = self._named(request)
        part = dict(_parts(message)).get(request.path_params["part"])
        if part is None or part.is_multipart():
            raise HTTPException(404)
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        kind = part.get_content_type()
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
        if kind not in _SHOWN:
            kind, headers["Content-Disposition"] = "application/octet-stream", f'attachment; filename="{_file_name(part)}"'
        return Response(data, headers=headers, media_type=kind)

    def _mails(self) -> tuple[Received, ...]:
        return tuple(self._studio.inbox)

    def _named(self, request: Request) -> tuple[Received, EmailMessage]:
        number: int = request.path_params["number"]
        if not 0 < number <= len(self._studio.inbox):
            raise HTTPException(404)
        return self._mails()[number - 1], self._parsed(number)


def _parts(message: EmailMessage) -> list[tuple[int, EmailMessage]]:
    return [(number, part) for number, part in enumerate(message.walk()) if isinstance(part, EmailMessage)]


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return None if part is None else str(part.get_content())


def _file_name(part: EmailMessage) -> str:
    """The name of a part for a header: letters, digits, dots and dashes alone."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", part.get_filename() or "").strip(".-")
    return name or f"part.{part.get_content_subtype()}"
