"""What has no reason to be kept any more goes, in a thread beside the pages: when they open, and every day."""

import logging
import threading
from collections.abc import Callable
from dataclasses import asdict
from types import TracebackType
from typing import Self

from newsletter.audience.tidying import tidy
from newsletter.issue import Retention
from newsletter.problem import InputError
from newsletter.store import Store
from newsletter.store.faults import cause_of

log = logging.getLogger("newsletter.web.caretaker")

#: Seconds between two rounds, and to the next one where one failed.
_DAY, _AGAIN = 24 * 3600.0, 3600.0


class Caretaker:
    """As a context manager it works in a thread until the end of the block, which waits for no more than one transaction.

    ``retention`` is read anew each time. Only counts go into the log (S22).
    """

    def __init__(self, store: Store, retention: Callable[[], Retention]) -> None:
        self._store = store
        self._retention = retention
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="newsletter-caretaker", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while not self._over.wait(_DAY if self._round() else _AGAIN):
            pass

    def _round(self) -> bool:
        """Whether all went that had to go."""
        try:
            done = tidy(self._store, self._retention(), lambda seconds: not self._over.wait(min(seconds, 1)))
        except InputError as error:
            log.error("nothing old was deleted: %s", error)  # noqa: TRY400 - it says all there is to say
            return False
        except Exception as error:  # noqa: BLE001 - the pages go on; an error's own text would name values
            log.error("nothing old was deleted: %s", cause_of(error))  # noqa: TRY400
            return False
        if said := [f"{name} {count}" for name, count in asdict(done).items() if count]:
            log.info("deleted what is old: %s", ", ".join(said))
        return True
