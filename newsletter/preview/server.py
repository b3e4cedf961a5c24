"""A workspace becomes the running preview: web server, inbox and an eye on the files, until the end of a block."""

import secrets
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.preview.app import Studio, create_app
from newsletter.preview.inbox import Inbox
from newsletter.preview.news import Watcher
from newsletter.preview.people import People
from newsletter.settings import Workspace
from newsletter.web.server import BackgroundServer

#: The recipient list of a workspace, as ``newsletter init`` calls it.
_LIST = "list.csv"


class Preview:
    """``with Preview(workspace) as preview:`` serves ``preview.url``, which holds the session's secret, on this machine alone.

    ``people`` is the recipient list, else the workspace's ``list.csv``; ``inbox`` one that runs already, else it has its own;
    ``port`` 0 takes a free one. Raises :class:`~newsletter.problem.InputError` where it cannot listen, or there is no such issue.
    """

    def __init__(
        self,
        workspace: Workspace,
        issue: str | None = None,
        *,
        people: Path | None = None,
        inbox: Inbox | None = None,
        port: int = 0,
    ) -> None:
        self._workspace = workspace
        self._named = issue
        self._list = people or workspace.root / _LIST
        self._given = inbox
        self._port = port
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            inbox = self._given or stack.enter_context(Inbox())
            studio = Studio(self._workspace.root, inbox, People(self._list), self._named)
            token = secrets.token_urlsafe(16)
            server = stack.enter_context(BackgroundServer(port=self._port))
            stack.callback(studio.close)  # first: the open streams would keep the server waiting
            watcher = Watcher(*self._watched(), studio.saved)
            stack.callback(watcher.close)
            server.start(create_app(studio, token))
            inbox.changed = studio.news.tell
            watcher.start()
            self.url = f"{server.url}/{token}/"
            self.inbox = inbox
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def _watched(self) -> tuple[list[Path], list[Path]]:
        """The folders that are watched with all below them, and those of which only the files count."""
        workspace = self._workspace
        deep = [workspace.issues, workspace.root / "layouts", workspace.catalogues]
        if self._named is not None:
            deep.append(workspace.issue_file(self._named).parent)
        deep = [folder for folder in dict.fromkeys(map(Path.resolve, deep)) if folder.is_dir()]
        flat = dict.fromkeys((workspace.root.resolve(), self._list.resolve().parent))
        return deep, [folder for folder in flat if folder.is_dir()]
