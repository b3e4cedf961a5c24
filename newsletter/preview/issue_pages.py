"""An issue becomes its pages: the mail as every reader will see it, what is wrong with it, and a test mail."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from itertools import groupby
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from newsletter.audience.address import normalise
from newsletter.audience.recipient import Recipient
from newsletter.check.report import Report
from newsletter.preview.bench import Bench, Proof, State
from newsletter.preview.frame import Framed, framed
from newsletter.preview.guard import MAIL_POLICY
from newsletter.preview.look import Look
from newsletter.preview.people import Sample, samples
from newsletter.preview.trial import Sent, send_test
from newsletter.problem import InputError, Problem, complaint

if TYPE_CHECKING:
    from newsletter.preview.app import Studio

#: Bytes of a form that are read.
_LARGEST_FORM = 16_000


@dataclass(frozen=True)
class Shown:
    """One mail on the page: whose it is, its bytes and bodies, and how the frame has it; or why there is none."""

    person: Recipient
    sample: Sample | None
    proof: Proof | None
    raw: bytes = b""
    frame: Framed | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def message(self) -> Any:
        """The message, parsed."""
        return message_from_bytes(self.raw, policy=policy.default)

    def body(self, kind: str) -> str:
        """Its ``html`` or ``plain`` part."""
        part = self.message.get_body((kind,)) if self.raw else None
        return "" if part is None else str(part.get_content())

    @property
    def head(self) -> str:
        """The headers as they are sent."""
        return self.raw.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").replace("\r\n", "\n")


class IssuePages:
    """The pages of all issues of a studio."""

    def __init__(self, studio: "Studio", base: str) -> None:
        self._studio = studio
        self._base = base
        self._sent: list[Sent | tuple[Problem, ...]] = []
        self._shown: OrderedDict[tuple[object, ...], Shown] = OrderedDict()
        self._lock = Lock()

    @property
    def routes(self) -> list[BaseRoute]:
        """Where they are found."""
        return [
            Route("/issue/{slug}", self.issue),
            Route("/issue/{slug}/mail", self.mail),
            Route("/issue/{slug}/mail.eml", self.eml),
            Route("/issue/{slug}/example", self.example),
            Route("/issue/{slug}/test", self.test, methods=["POST"]),
        ]

    def issue(self, request: Request) -> Response:
        """The page to work with."""
        slug: str = request.path_params["slug"]
        look = Look.of(request.query_params)
        state = self._studio.bench(slug).state
        shown = self._show(slug, state, look) if state.proof else None
        values: dict[str, Any] = {
            "base": self._base,
            "slug": slug,
            "here": f"{self._base}/issue/{quote(slug)}",
            "state": state,
            "shown": shown,
            "groups": list(_groups(state.report)) if state.report else [],
            "samples": samples(state.proof.edition) if state.proof else [],
            "matches": self._studio.people.find(look.find) if self._studio.people.there else None,
            "list": self._studio.people.file,
            "sent": self._outcome(look.sent),
            "server": ", ".join(relay.host for relay in state.proof.workspace.settings.relays) if state.proof else None,
        }
        return self._studio.page("issue", look, **values)

    def mail(self, request: Request) -> Response:
        """What stands in the frame, under a policy of its own (S7)."""
        look = Look.of(request.query_params)
        slug: str = request.path_params["slug"]
        shown = self._show(slug, self._studio.bench(slug).state, look)
        if shown.frame is None:
            raise HTTPException(404)
        may = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
        headers = {"Content-Security-Policy": MAIL_POLICY.format(pictures="'self'", may=may)}
        return Response(shown.frame.html, headers=headers, media_type="text/html")

    def eml(self, request: Request) -> Response:
        """The message as a file."""
        slug: str = request.path_params["slug"]
        shown = self._show(slug, self._studio.bench(slug).state, Look.of(request.query_params))
        if not shown.raw:
            raise HTTPException(404)
        return Response(
            shown.raw, headers={"Content-Disposition": 'attachment; filename="message.eml"'}, media_type="message/rfc822"
        )

    def example(self, request: Request) -> Response:
        """What the mail's own links lead to here: nobody has got this mail yet."""
        look = Look.of(request.query_params)
        slug: str = request.path_params["slug"]
        self._studio.bench(slug)
        return self._studio.page("example", look, base=self._base, slug=slug)

    async def test(self, request: Request) -> Response:
        """Send the mail that is shown to the address of the form, then show the page again, which says what came of it."""
        slug: str = request.path_params["slug"]
        form = await _form(request)
        look = Look.of(form)
        number = await run_in_threadpool(self._test, self._studio.bench(slug), slug, look, form.get("address", ""))
        return RedirectResponse(f"{self._base}/issue/{quote(slug)}{look.query(sent=str(number))}", 303)

    def _test(self, bench: Bench, slug: str, look: Look, written: str) -> int:
        outcome: Sent | tuple[Problem, ...]
        try:
            try:
                address = normalise(written).spelling
            except ValueError as error:
                raise complaint(f"the address {written!r} {error}") from None
            state = bench.state
            shown = self._show(slug, state, look) if state.proof else None
            if shown is not None and shown.proof is not None and shown.raw:
                outcome = send_test(shown.proof, shown.person, address, self._studio.inbox)
            else:
                outcome = shown.problems if shown is not None else state.problems
        except InputError as error:
            outcome = error.problems
        self._sent.append(outcome)
        return len(self._sent)

    def _outcome(self, number: str) -> "Sent | tuple[Problem, ...] | None":
        return self._sent[int(number) - 1] if number.isdecimal() and 0 < int(number) <= len(self._sent) else None

    def _show(self, slug: str, state: State, look: Look) -> Shown:
        """The mail that a look asks for; page and frame ask for the same one, so the last few are kept."""
        key = (slug, state.number, look.client, look.dark, look.pictures, look.to, look.lang, self._studio.people.version)
        with self._lock:
            if key not in self._shown:
                self._shown[key] = self._make(slug, state, look)
                while len(self._shown) > 12:
                    self._shown.popitem(last=False)
            return self._shown[key]

    def _make(self, slug: str, state: State, look: Look) -> Shown:
        proof = state.proof
        if proof is None:
            raise HTTPException(404)
        known = {sample.name: sample for sample in samples(proof.edition)}
        found = self._studio.people.person(look.to) if "@" in look.to else None
        sample = None if found else known.get(look.to, known["usual"])
        person = found or (sample.person if sample else known["usual"].person)
        here = f"{self._base}/issue/{quote(slug)}"
        try:
            proof = self._studio.bench(slug).proof_for(person) or proof
            frame = framed(proof, person, look, f"{self._base}/pictures/", f"{here}/example{look.home}")
            return Shown(person, sample, proof, proof.mail(person), frame)
        except InputError as error:
            return Shown(person, sample, proof, problems=error.problems)


def _groups(report: Report) -> Iterator[tuple[str, list[Any]]]:
    for severity, found in groupby(report.findings, key=lambda finding: finding.severity):
        yield severity, list(found)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a small urlencoded form."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            raise HTTPException(413)
    return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=40))
