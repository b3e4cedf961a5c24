"""The files of an issue become what its pages show: the last state that could be compiled, and what is wrong with the newest."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from newsletter.audience.recipient import Recipient
from newsletter.check.draft import draft_links
from newsletter.check.report import Report
from newsletter.check.run import examine
from newsletter.check.sampling import Writer, invented_variants
from newsletter.check.subject import Message, Page, Subject
from newsletter.check.variants import demand_content
from newsletter.compose.compile import compile_issue
from newsletter.compose.edition import Edition, MissingValue, PictureFile
from newsletter.issue import Issue, load_issue
from newsletter.issue.variant import Choice, says_something
from newsletter.links import Links
from newsletter.message import HeaderError
from newsletter.problem import InputError, Problem, complaint
from newsletter.settings import Workspace

#: Seconds without another change before the rules are asked: the mail comes first.
_PAUSE = 0.25


@dataclass(frozen=True)
class Proof:
    """An issue as it stood in its files at one moment, compiled for everyone who was asked for."""

    issue: Issue
    links: Links
    edition: Edition
    workspace: Workspace

    def mail(self, person: Recipient, edition: Edition | None = None) -> bytes:
        """The message of a person. Raises :class:`InputError` where it cannot be made."""
        try:
            return Writer(edition or self.edition, self.links, self.issue.slug).write(person)
        except (MissingValue, HeaderError) as error:
            raise complaint(f"{person.address}: {error}") from None

    def page(self, person: Recipient) -> Page:
        """The two bodies of that message, and where each part of them comes from."""
        subject = Subject(self.issue, self.edition, self.workspace.settings)
        return Message(
            subject, person, self.mail(person), Writer(self.edition, self.links, self.issue.slug).template(person)
        ).page


@dataclass(frozen=True)
class State:
    """What is known of an issue. ``number`` is another one after each change of what is seen.

    ``proof`` is the last state that could be compiled, ``problems`` what is wrong with the newest (none where that is the proof),
    ``report`` the findings, None until there are any, ``unchecked`` why there are none, ``checked`` whether they are about the
    proof and not still about the one before it.
    """

    number: int = 0
    proof: Proof | None = None
    problems: tuple[Problem, ...] = ()
    report: Report | None = None
    unchecked: tuple[Problem, ...] = ()
    checked: bool = False


class Bench:
    """One issue that is worked on. ``pictures`` are those of all its states, by name.

    ``changed`` is called, in any thread, when its pages should be shown anew.
    """

    def __init__(self, root: Path, slug: str, changed: Callable[[], None]) -> None:
        self._root = root
        self._slug = slug
        self._changed = changed
        self._lock = threading.RLock()
        self._variants: set[str | None] = set()
        self._timer: threading.Timer | None = None
        self._state: State | None = None
        self._closed = False
        self.pictures: dict[str, PictureFile] = {}

    @property
    def state(self) -> State:
        """What is known now; compiled here where nobody asked before."""
        with self._lock:
            return self._state or self.refresh()

    def refresh(self) -> State:
        """Read and compile the files as they are now. Blocks while it does."""
        with self._lock:
            old = self._state or State()
            try:
                proof = self._compile()
            except InputError as error:
                self._state = replace(old, problems=error.problems)
            except OSError as error:
                self._state = replace(old, problems=(Problem(str(error.filename or ""), 0, 0, "", error.strerror or str(error)),))
            else:
                report = old.report  # the last findings stand until there are new ones: nothing jumps
                self._state = State(old.number + 1, proof, (), report)
                self._examine_soon()
            return self._state

    def proof_for(self, person: Recipient) -> Proof | None:
        """The proof with the variant that this person gets. Raises :class:`InputError` where they would get no content."""
        proof = self.state.proof
        if proof is None:
            return None
        name = proof.edition.choice(person.fields)
        demand_content(proof.issue, name, f"{person.address} gets")
        if name not in proof.edition.variant_names:
            with self._lock:
                self._variants.add(name)
                state = self.refresh()
            if state.problems:
                raise InputError(state.problems)  # the last good state does not have this variant, and the newest cannot
            proof = state.proof
        return proof

    def close(self) -> None:
        """Stop what is to come."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()

    def _compile(self) -> Proof:
        workspace = Workspace(self._root)  # a new one, for it keeps its settings
        issue = load_issue(workspace, self._slug)
        links = draft_links(workspace, issue)
        length = len(Choice(issue.conditions, issue.language)({}) or "")
        asked = {
            name for name in self._variants if len(name or "") == length and says_something(issue.content.blocks, name or "")
        }
        edition = compile_issue(issue, workspace, links.picture_url, variants={*invented_variants(issue), *asked})
        self.pictures |= {picture.name: picture for picture in edition.pictures}
        return Proof(issue, links, edition, workspace)

    def _examine_soon(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed:
            self._timer = threading.Timer(_PAUSE, self._examine)
            self._timer.daemon = True
            self._timer.start()

    def _examine(self) -> None:
        state = self.state
        proof = state.proof
        if proof is None:
            return
        report: Report | None = None
        unchecked: tuple[Problem, ...] = ()
        try:
            report = examine(proof.issue, proof.edition, proof.workspace.settings, proof.links)
        except InputError as error:
            unchecked = error.problems
        with self._lock:
            if self._state is None or self._state.proof is not proof:  # there is a newer one, which has its own timer
                return
            self._state = replace(self._state, report=report, unchecked=unchecked, checked=True)
        self._changed()
