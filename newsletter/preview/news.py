"""Saved files and arriving mail become server-sent events: every open page hears that there is something new."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from watchfiles import DefaultFilter, watch

#: Milliseconds: how long changes are gathered, and how often it is looked.
_GATHER, _LOOK, _IDLE = 100, 25, 200
#: Seconds after which an open page is told that all is well, and the pause after which a lost one asks again (milliseconds).
_BEAT, _RETRY = 10.0, 1000


class News:
    """Tells every listener that something changed; what changed they ask for themselves. ``number`` counts the changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._closed = False
        self.number = 0

    def tell(self) -> None:
        """Wake every listener, from any thread."""
        with self._lock:
            self.number += 1
            for event, loop in self._listeners.items():
                loop.call_soon_threadsafe(event.set)

    def close(self) -> None:
        """End every stream, so that the server can stop."""
        self._closed = True
        self.tell()

    async def stream(self) -> AsyncIterator[bytes]:
        """``text/event-stream`` (HTML Standard §9.2): the number now and at each change, and a comment to keep it alive."""
        event = asyncio.Event()
        with self._lock:
            self._listeners[event] = asyncio.get_running_loop()
        try:
            yield f"retry: {_RETRY}\ndata: {self.number}\n\n".encode()
            while not self._closed:
                try:
                    await asyncio.wait_for(event.wait(), _BEAT)
                except TimeoutError:
                    yield b": all is well\n\n"
                    continue
                event.clear()
                if not self._closed:
                    yield f"data: {self.number}\n\n".encode()
        finally:
            with self._lock:
                del self._listeners[event]


class Watcher:
    """Calls ``changed`` when a file in ``folders`` (with all below them) or directly in ``places`` was saved."""

    def __init__(self, folders: Iterable[Path], places: Iterable[Path], changed: Callable[[], None]) -> None:
        self._changed = changed
        self._stop = threading.Event()
        groups = ((list(folders), True), (list(places), False))
        self._threads = [
            threading.Thread(target=self._watch, args=(paths, recursive), name="newsletter-watch", daemon=True)
            for paths, recursive in groups
            if paths
        ]

    def start(self) -> None:
        """Begin to look."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _watch(self, paths: list[Path], recursive: bool) -> None:
        known = watch(
            *paths,
            watch_filter=_Written(),
            debounce=_GATHER,
            step=_LOOK,
            rust_timeout=_IDLE,
            stop_event=self._stop,
            recursive=recursive,
            raise_interrupt=False,
        )
        for _ in known:
            self._changed()


class _Written(DefaultFilter):
    """Whatever a person writes; not the database, whose every transaction is a change, and not what editors lay aside."""

    ignore_entity_patterns = (*DefaultFilter.ignore_entity_patterns, r"\.db(-\w+)?$", r"\.part$", r"^\.#", r"\.tmp$")
