"""Accounts become a progress bar on a terminal; where nobody looks, nothing is drawn."""

import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

    from newsletter.delivery.account import Account

#: The speed is that of the last so many reports, which come about once a second.
_SPAN = 10
#: How many recipient domains are named.
_DOMAINS = 2


class Progress:
    """``with Progress() as progress: progress.show(account)``, as often as there is something new."""

    def __enter__(self) -> "Progress":
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar
        from rich.text import Text

        class WithTroubles(Bar):
            """The bar, and below it a line that is too long to stand beside it."""

            words = ""

            def get_renderables(self) -> "Iterable[RenderableType]":
                yield from super().get_renderables()
                if self.words:
                    yield Text(self.words, style="yellow")

        self._bar = WithTroubles(
            TextColumn("sending"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._bar.add_task("sending", total=None, speed="")
        self._past: deque[tuple[float, int]] = deque(maxlen=_SPAN)
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def show(self, account: "Account") -> None:
        """Draw how far it is: settled of all, how fast, what is in trouble and where."""
        settled = account.audience - account.pending - account.deferred
        self._past.append((time.monotonic(), settled))
        due = account.next_due_at if not account.pending else None
        speed = speed_of(self._past) if due is None else f"next try {due.astimezone():%H:%M}"
        self._bar.words = troubles_of(account)
        self._bar.update(self._task, total=account.audience, completed=settled, speed=speed)

    def tell(self, words: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(words, markup=False, highlight=False, soft_wrap=True)


def speed_of(past: Sequence[tuple[float, int]]) -> str:
    """Deliveries a second, over some moments (seconds) with what was settled then."""
    (first, before), (last, after) = past[0], past[-1]
    if last - first < 0.5 or after <= before:
        return ""
    speed = (after - before) / (last - first)
    return f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s"


def troubles_of(account: "Account") -> str:
    """What is in trouble, with the domains that hold up the most, and where the server wants it slowly."""
    words = [f"{count} {name}" for name in ("failed", "uncertain", "deferred") if (count := getattr(account, name))]
    if account.deferrals:
        words[-1] += f" ({', '.join(f'{one.count} {one.domain}' for one in account.deferrals[:_DOMAINS])})"
    if account.note:
        words.append(account.note)
    return ", ".join(words)
