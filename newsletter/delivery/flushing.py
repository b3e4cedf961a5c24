"""The process that waits for the disk: told so by a byte, it flushes a file and answers with a byte: 0, or why it could not.

Run by :class:`~newsletter.delivery.flusher.Flusher` as a script, with nothing else imported; its argument is the open file.
"""

import errno
import os
import signal
import sys

#: macOS has no fdatasync(2); SQLite uses fsync(2) there, too.
flush = getattr(os, "fdatasync", os.fsync)


def main() -> None:
    """Flush until nobody asks any more, or the disk does not take it: which the kernel tells once, to one who has the file."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # meant for the program, which may have something to flush still
    file = int(sys.argv[1])
    while os.read(0, 1):
        try:
            flush(file)
        except OSError as error:
            os.write(1, bytes([error.errno or errno.EIO]))
            return
        os.write(1, b"\0")


if __name__ == "__main__":
    main()
