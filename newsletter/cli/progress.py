"""Accounts become a progress bar on a terminal; where nobody looks, nothing is drawn."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsletter.delivery.account import Account


class Progress:
    """``with Progress() as progress: progress.show(account)``, as often as there is something new."""

    def __enter__(self) -> "Progress":
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("sending"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[troubles]}"),
            console=Console(file=sys.stderr),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._bar.add_task("sending", total=None, troubles="")
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def show(self, account: "Account") -> None:
        """Draw how far it is: settled of all, and what is in trouble."""
        troubles = [f"{count} {name}" for name in ("failed", "deferred", "uncertain") if (count := getattr(account, name))]
        settled = account.audience - account.pending - account.deferred
        self._bar.update(self._task, total=account.audience, completed=settled, troubles=", ".join(troubles))

    def tell(self, words: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(words, markup=False, highlight=False, soft_wrap=True)
