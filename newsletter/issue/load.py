"""Files become a :class:`Publication` and an :class:`Issue`; everything that is wrong with a file is said at once."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from newsletter.issue.attachments import find_attachment, read_attachment
from newsletter.issue.files import UnfitFile
from newsletter.issue.markdown import Markdown
from newsletter.issue.model import IssueFile, Kept, Publication, Publicity, Timetable
from newsletter.issue.model_mistakes import nearest, problems_of
from newsletter.issue.nodes import Mapping, Node, Scalar, Sequence
from newsletter.issue.only import Condition
from newsletter.issue.parts import Loc, Model
from newsletter.issue.pictures import UnfitPicture, check_picture, find_picture
from newsletter.issue.retention import Retention
from newsletter.issue.source import Source, read_source
from newsletter.issue.text import Line, TextError, plain_text
from newsletter.issue.typeset import typeset
from newsletter.issue.variant import conditions_of, shown_in
from newsletter.problem import InputError, Problem
from newsletter.settings import Workspace

_M = TypeVar("_M", bound=Model)


@dataclass(frozen=True)
class FieldUse:
    """One merge field where it stands in an issue. ``default`` is None where none was given."""

    name: str
    default: str | None
    loc: Loc
    offset: int
    source: Source

    def problem(self, message: str) -> Problem:
        """A problem with this merge field, dated to its ``{{``."""
        return self.source.problem(self.loc, message, self.offset)


@dataclass(frozen=True)
class Issue:
    """An issue as it was read, checked and set. ``language`` and ``layout`` are the issue's own, else the publication's."""

    file: Path
    workspace: Workspace
    content: IssueFile
    publication: Publication
    source: Source
    publication_source: Source

    @property
    def folder(self) -> Path:
        """Where the issue file and its pictures lie."""
        return self.file.parent

    @property
    def slug(self) -> str:
        """The name of its folder (``2024-12``)."""
        return self.file.resolve().parent.name

    @property
    def language(self) -> str:
        """The BCP 47 tag."""
        return self.content.language or self.publication.language

    @property
    def layout(self) -> str:
        """The name of the layout."""
        return self.content.layout or self.publication.layout

    @property
    def is_public(self) -> bool:
        """Whether it has a page for everyone once it is sent: as it says itself, else as the publication does."""
        return self.publication.archive if self.content.public is None else self.content.public

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The different ``only:`` of its blocks; none where everyone gets the same."""
        return conditions_of(self.content.blocks)

    def variant(self, name: str) -> "Issue":
        """The issue with the blocks of one variant alone (:mod:`newsletter.issue.variant`), for everyone who gets it.

        Its blocks are counted anew: a problem with one of them is told by the whole issue.
        """
        blocks = [
            self.content.blocks[position].model_copy(update={"only": None}) for position in shown_in(self.content.blocks, name)
        ]
        return replace(self, content=self.content.model_copy(update={"blocks": blocks}))

    def picture_path(self, src: str) -> Path:
        """The file of a picture of this issue. Raises :class:`InputError` where it has gone since the issue was read."""
        try:
            return find_picture(self.workspace.root, self.folder, src)
        except UnfitPicture as error:
            places = (loc for loc, name in _picture_names(self.source.root, ()) if name.strip() == src)
            raise InputError(self.problem(next(places, ()), f"{src}: {error}")) from None

    def attachment_path(self, file: str) -> Path:
        """The file of an attachment of this issue. Raises :class:`~newsletter.issue.files.UnfitFile` where it has gone."""
        return find_attachment(self.workspace.root, self.folder, file)

    def merge_fields(self) -> tuple[FieldUse, ...]:
        """Every merge field in the issue, in the order of the model, repeated ones repeated."""
        return tuple(
            FieldUse(field.name, field.default, loc, field.offset, self.source)
            for loc, value in self.content.walk()
            if isinstance(value, Line | Markdown)
            for field in value.fields
        )

    def problem(self, loc: Loc, message: str) -> Problem:
        """A problem with the value at a place, such as ``("blocks", 3, "title")``."""
        return self.source.problem(loc, message)


def load_publication(workspace: Workspace) -> Publication:
    """Read ``issues/publication.yaml``. Raises :class:`InputError` with every problem in it."""
    return _read_publication(workspace)[0]


def _read_publication(workspace: Workspace) -> tuple[Publication, Source]:
    source = read_source(workspace.publication_file)
    publication, problems = _validated(Publication, source)
    problems += _layout_problems(source, workspace) + _picture_problems(source, workspace, workspace.publication_file)
    if publication is None or problems:
        raise InputError(problems)
    return publication, source


def load_timetable(workspace: Workspace) -> Timetable:
    """When and how fast the publication sends. Raises :class:`InputError` where that cannot be read.

    Whatever else is wrong with the file does not matter to a campaign that was begun.
    """
    return _read_part(workspace, Timetable)


def load_retention(workspace: Workspace) -> Retention:
    """How long the publication keeps what it knows of people. Raises :class:`InputError` where that cannot be read."""
    return _read_part(workspace, Kept).retention


def _read_part(workspace: Workspace, kind: type[_M]) -> _M:
    source = read_source(workspace.publication_file)
    kept = {key: value for key, value in source.data().items() if key in kind.model_fields}
    try:
        return kind.model_validate(kept)
    except ValidationError as error:
        raise InputError(problems_of(error, kind, source)) from None


def load_public(workspace: Workspace, slug: str) -> bool | None:
    """What ``issues/<slug>/issue.yaml`` says of whether the issue is public, None where it says nothing.

    Raises :class:`InputError` where there is no such file or that cannot be read; whatever else is wrong with it does not matter.
    """
    source = read_source(workspace.issues / slug / "issue.yaml")
    said = {key: value for key, value in source.data().items() if key in Publicity.model_fields}
    try:
        return Publicity.model_validate(said).public
    except ValidationError as error:
        raise InputError(problems_of(error, Publicity, source)) from None


def load_issue(workspace: Workspace, issue: str) -> Issue:
    """Read the issue of a slug or a path, with its publication, and look at its pictures.

    Raises :class:`InputError` with every problem in both files.
    """
    file = workspace.issue_file(issue)
    problems: list[Problem] = []
    publication = publication_source = content = source = None
    try:
        publication, publication_source = _read_publication(workspace)
    except InputError as error:
        problems += error.problems
    try:
        source = read_source(file)
        content, found = _validated(IssueFile, source)
        problems += found + _layout_problems(source, workspace) + _picture_problems(source, workspace, file)
        problems += _attachment_problems(source, workspace, file)
    except InputError as error:
        problems += error.problems
    if problems or publication is None or publication_source is None or content is None or source is None:
        raise InputError(problems)
    content = typeset(content, publication)
    return Issue(file, workspace, content, publication, source, publication_source)


def _validated(kind: type[_M], source: Source) -> tuple[_M | None, list[Problem]]:
    try:
        return kind.model_validate(source.data()), []
    except ValidationError as error:
        return None, problems_of(error, kind, source)


def _layout_problems(source: Source, workspace: Workspace) -> list[Problem]:
    node = source.root.entries.get("layout")
    if not isinstance(node, Scalar) or node.empty:
        return []
    known = workspace.layout_names()
    if node.value.strip() in known:
        return []
    return [source.problem(("layout",), f"there is no layout {node.value.strip()!a}; {nearest(node.value.strip(), known)}")]


def _picture_problems(source: Source, workspace: Workspace, file: Path) -> list[Problem]:
    """Every ``src`` is looked at, whatever else is wrong with the file."""
    return _file_problems(
        source, _picture_names(source.root, ()), lambda name: check_picture(find_picture(workspace.root, file.parent, name))
    )


def _attachment_problems(source: Source, workspace: Workspace, file: Path) -> list[Problem]:
    """Every attachment is read, whatever else is wrong with the file."""
    return _file_problems(
        source, _attachment_names(source.root), lambda name: read_attachment(find_attachment(workspace.root, file.parent, name))
    )


def _file_problems(source: Source, names: Iterable[tuple[Loc, str]], check: Callable[[str], object]) -> list[Problem]:
    problems = []
    for loc, written in names:
        try:
            name = plain_text(written)
        except TextError:
            continue  # already told, by the model
        try:
            check(name)
        except UnfitFile as error:
            problems.append(source.problem(loc, f"{name}: {error}"))
        except OSError as error:
            problems.append(source.problem(loc, f"{name}: cannot be read: {error.strerror}"))
    return problems


def _attachment_names(root: Mapping) -> Iterator[tuple[Loc, str]]:
    listed = root.entries.get("attachments")
    for number, item in enumerate(listed.items if isinstance(listed, Sequence) else ()):
        name = item.entries.get("file") if isinstance(item, Mapping) else None
        if isinstance(name, Scalar) and not name.empty:
            yield ("attachments", number, "file"), name.value


def _picture_names(node: Node, loc: Loc) -> Iterator[tuple[Loc, str]]:
    match node:
        case Mapping():
            for key, value in node.entries.items():
                yield from _picture_names(value, (*loc, key))
        case Sequence():
            for number, item in enumerate(node.items):
                yield from _picture_names(item, (*loc, number))
        case Scalar() if loc[-1] == "src" and not node.empty:
            yield loc, node.value
