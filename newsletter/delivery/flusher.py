"""Waits for the disk in a process of its own, so that the event loop need not.

A thread would do it, too, but each time it had to wait for the interpreter's lock, which costs more than most disks take.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

from newsletter.delivery import flushing

#: So many flushes are done here before a process is started for the others: a short list does not need it.
_FEW = 20


class Flusher:
    """Puts on disk what was written into a file."""

    def __init__(self, file: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._file = os.open(file, os.O_RDWR)
        self._process: subprocess.Popen[bytes] | None = None
        self._told, self._answers = -1, -1
        self._left = _FEW
        self._failure: OSError | None = None
        self._waiting: deque[Callable[[OSError | None], None]] = deque()

    @property
    def pid(self) -> int | None:
        """The process that flushes, None where there is none."""
        return None if self._process is None else self._process.pid

    def flush(self, done: Callable[[OSError | None], None]) -> None:
        """Call ``done`` when all that was written before is on disk, at once or later, with what kept it from there."""
        if self._process is None:
            done(self._flush_here())
            self._left -= 1
            if self._left == 0:
                self._start()
            return
        self._waiting.append(done)
        with contextlib.suppress(BrokenPipeError):  # _hear() sees that it is gone
            os.write(self._told, b".")

    def close(self) -> None:
        """Flush what is waited for, and end the process."""
        self._stop()
        os.close(self._file)

    def _flush_here(self) -> OSError | None:
        """What keeps it from the disk. Once something did, the next flush would find nothing to do, and say that all is well."""
        if self._failure is None:
            try:
                flushing.flush(self._file)
            except OSError as error:
                self._failure = error
        return self._failure

    def _start(self) -> None:
        theirs, self._told = os.pipe()
        self._answers, answering = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own script
                [sys.executable, "-I", "-S", flushing.__file__, str(self._file)],
                stdin=theirs,
                stdout=answering,
                stderr=subprocess.DEVNULL,  # what goes wrong there is found out here
                pass_fds=[self._file],
                start_new_session=True,  # Ctrl-C is not meant for it
            )
            self._loop.add_reader(self._answers, self._hear)
        except OSError:  # no more processes: it goes on as it began
            os.close(self._told)
            os.close(self._answers)
        finally:
            os.close(theirs)
            os.close(answering)

    def _hear(self) -> None:
        answers = os.read(self._answers, 64)
        self._take(answers)
        if self._failure is not None or not answers:
            self._stop()

    def _take(self, answers: bytes) -> None:
        for why in answers:
            if why:
                self._failure = OSError(why, os.strerror(why))
            self._waiting.popleft()(self._failure)

    def _stop(self) -> None:
        """End the process; what it has not answered is flushed here."""
        process, self._process = self._process, None
        if process is None:
            return
        self._loop.remove_reader(self._answers)
        os.close(self._told)
        process.wait()
        while answers := os.read(self._answers, 64):
            self._take(answers)
        os.close(self._answers)
        if self._waiting:
            error = self._flush_here()
            while self._waiting:
                self._waiting.popleft()(error)
