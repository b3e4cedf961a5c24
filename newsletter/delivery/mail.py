"""A message with its envelope, and where a connection gets it from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from newsletter.delivery.replies import Outcome
from newsletter.message.stuffed import Stuffed


@dataclass(slots=True, eq=False)
class Mail:
    """A message with its envelope. Not frozen, for it would take four times as long to make."""

    sender: str
    recipient: str
    message: Stuffed


M = TypeVar("M", bound=Mail)


class Source(Protocol[M]):
    """Where a connection gets its mail, and whom it tells what became of it."""

    def pull(self) -> M | None:
        """The next mail. Its intent is on disk (S23): it may leave at once. None where there is none now."""

    def more(self, call: Callable[[], None]) -> None:
        """Call back, once, when there may be another one."""

    def answer(self, mail: M, outcome: Outcome) -> None:
        """What became of a mail that was pulled; once for each."""
