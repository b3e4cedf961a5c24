"""The process that waits for the disk: told so by a byte, it flushes a file and answers with a byte.

Run by :class:`~newsletter.delivery.flusher.Flusher` as a script, with nothing else imported; its argument is the open file.
"""

import os
import signal
import sys

#: macOS has no fdatasync(2); SQLite uses fsync(2) there, too.
flush = getattr(os, "fdatasync", os.fsync)


def main() -> None:
    """Flush until nobody asks any more. It ends with an error where the disk does not take it, and whoever asked sees the end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # meant for the program, which may have something to flush still
    file = int(sys.argv[1])
    while os.read(0, 1):
        flush(file)
        os.write(1, b".")


if __name__ == "__main__":
    main()
