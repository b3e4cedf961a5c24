"""A database on a server becomes verdicts: can it be used, does it keep what was committed, what time is it there?"""

from collections.abc import Iterator

from newsletter.doctor.verdict import Told, verdict
from newsletter.problem import InputError
from newsletter.settings import is_loopback
from newsletter.store.clock import SECOND
from newsletter.store.look import Server, look_at_server
from newsletter.store.postgresql import OLDEST
from newsletter.store.url import read_url

_GOOD = verdict("database-server", "ok", "the database {where} answers: PostgreSQL {version}")
_UNREACHABLE = verdict(
    "database-unreachable", "error", "{problem}", "see that the server runs, and that NEWSLETTER_DATABASE_URL names it rightly"
)
_OLD = verdict(
    "database-server-old",
    "error",
    "the database {where} is on PostgreSQL {version}; the newsletter needs {oldest} or newer",
    "move it to a newer PostgreSQL",
)
_STANDBY = verdict(
    "database-standby",
    "error",
    "the database {where} is a standby: it can only be read",
    "name the primary server in NEWSLETTER_DATABASE_URL",
)
_EMPTY = verdict("database-empty", "error", "the database {where} has no tables yet", "newsletter db upgrade")
_BEHIND = verdict(
    "database-behind",
    "error",
    "the database {where} is of an older program",
    "stop the newsletter on every host, make a backup, then run newsletter db upgrade",
)
_UNSAFE = verdict(
    "database-unsafe",
    "error",
    "the server of the database has {setting} switched off: after a power cut it forgets what was sent, and mail is sent twice",
    "switch {setting} on in postgresql.conf",
)
_LAX = verdict(
    "database-lax",
    "note",
    "synchronous_commit is off at the server of the database; the newsletter switches it on for all that it writes",
)
_FOLLOWERS = verdict(
    "database-asynchronous",
    "note",
    "standbys follow the database ({count}), and a commit waits for none of them: where one of them takes over, the last moments "
    "are forgotten, and mail of these is sent twice",
    "name one in synchronous_standby_names, or pause what is being sent before you switch over",
)
_OPEN = verdict(
    "database-open-wire",
    "warning",
    "the way to the database {where} is not encrypted: addresses can be read on it",
    "add ?sslmode=verify-full to NEWSLETTER_DATABASE_URL",
)
_SKEW = verdict(
    "database-clock",
    "warning",
    "the clock of the database and that of this machine differ by {seconds} seconds; planned sendings go by the database's",
    "let both go by a time server (NTP)",
)
#: Clocks that are set over the network differ by less.
_MOST = 2 * SECOND


def look_at_database_server(url: str) -> Iterator[Told]:
    """Ask the server, and change nothing."""
    try:
        server = look_at_server(url)
    except InputError as error:
        yield from (_UNREACHABLE(problem=problem) for problem in error.problems)
        return
    yield from _of_the_database(server)
    yield from _of_what_it_keeps(server)
    host = read_url(url).host
    if not server.encrypted and host and not host.startswith("/") and not is_loopback(host):
        yield _OPEN(where=server.where)
    if abs(server.skew) > _MOST:
        yield _SKEW(seconds=f"{abs(server.skew) / SECOND:.0f}")


def _of_the_database(server: Server) -> Iterator[Told]:
    if server.major < OLDEST:
        yield _OLD(where=server.where, version=server.version, oldest=OLDEST)
    elif server.standby:
        yield _STANDBY(where=server.where)
    elif server.form == "new":
        yield _EMPTY(where=server.where)
    elif server.form == "old":
        yield _BEHIND(where=server.where)
    else:
        yield _GOOD(where=server.where, version=server.version)


def _of_what_it_keeps(server: Server) -> Iterator[Told]:
    yield from (_UNSAFE(setting=name) for name in server.unsafe)
    if server.lax:
        yield _LAX()
    if server.standbys and not server.waits:
        yield _FOLLOWERS(count=server.standbys)
