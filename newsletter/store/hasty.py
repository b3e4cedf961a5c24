"""A writer of SQLite's that waits for nobody: where somebody else writes it raises, and a commit does not wait for the disk.

What is committed here is seen by everyone at once, and is on disk when the log was flushed: that is the caller's. SQLite itself
flushes the log before it carries it over into the database (``synchronous = NORMAL``), so a power cut can take the last commits
that were not flushed, and nothing else.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection


class HastyWriter:
    """One connection for transactions from one thread. Its methods raise what the driver raises."""

    def __init__(self, connection: Connection, file: Path) -> None:
        driver: Any = connection.connection.dbapi_connection
        self._driver = driver
        self._driver.execute("PRAGMA busy_timeout = 0")
        self._driver.execute("PRAGMA synchronous = NORMAL")
        self._driver.execute("SELECT count(*) FROM sqlite_master").fetchall()  # this opens the log
        #: For the statements. It neither begins nor ends a transaction by itself.
        self.connection = connection.execution_options(newsletter_driver=self._driver)
        #: What has to be flushed after a commit.
        self.log = file.with_name(f"{file.name}-wal")

    def begin(self) -> None:
        """Take the writer's place."""
        self._driver.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Let everyone see it; it is not on disk yet."""
        self._driver.execute("COMMIT")

    def undo(self) -> None:
        """Leave nothing of it."""
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK")
