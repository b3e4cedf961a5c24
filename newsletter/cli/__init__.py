"""The ``newsletter`` command: one file a command group; arguments in, words out, nothing else.

Human words go to stderr, data to stdout. Exit codes: 0 all done; 1 done, but something failed, is uncertain or only deferrals
are left; 2 bad input or set-up, nothing was sent; 3 interrupted, the same command resumes.
"""

import sys
from typing import NoReturn

OK, PARTLY, BAD_INPUT, INTERRUPTED = 0, 1, 2, 3


def main() -> NoReturn:
    """Run the command line of this process and exit with its code; bad input is one line a problem, never a traceback."""
    from newsletter.cli.app import run

    sys.exit(run(sys.argv[1:]))
