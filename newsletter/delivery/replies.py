"""What a server said becomes a result: who is meant by a refusal, and when to try again (RFC 5321 §4.2, RFC 3463)."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from newsletter.audience.address import masked
from newsletter.delivery.ledger import POLICY, Claimed, Result
from newsletter.store.clock import HOUR, MINUTE, SECOND

#: Where a transaction stood. ``own``: nothing was said to the server; ``body``: the message had begun, its final dot was not
#: handed over; ``end``: it was.
Stage = Literal["own", "MAIL", "RCPT", "DATA", "body", "end"]
#: ``lost``: the connection broke, or the server spoke nonsense, before the reply.
Kind = Literal["reply", "lost"]

#: How much of a reply is kept.
LONGEST_REPLY = 500
#: N3: the mailbox does not exist.
_HARD_BOUNCES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.1"})
#: Gmail says 5.2.1 also of a mailbox that gets more mail than it may (ReceivingRatePerm): there is one, and somebody reads it.
_TOO_MUCH_MAIL = re.compile(r"mail (?:at a rate that|too quickly)", re.IGNORECASE)
#: N4, RFC 3463 §3.2, §3.4, §3.5: too big for the server, the sender's address, the sender's quota (Gmail 5.4.5, Exchange Online
#: 5.1.90): nothing that the recipient could help.
_ABOUT_US = frozenset({"5.3.4", "5.1.7", "5.1.8", "5.1.90", "5.4.5"})
#: The same in words. Postfix keeps what it has against client and sender until RCPT (smtpd_delay_reject), and Exchange Online
#: tells as 5.2.0 or 5.2.252, after the message, that the sender's quota is used up, or that he may not send as this address.
_ABOUT_US_IN_WORDS = re.compile(
    r"(?:5\.\d+\.\d+ )?(?:<[^>]*>: )?(?:client host|client certificate|helo command|sender address) rejected"
    r"|5\.2\.\d+ .*\bSTOREDRV\.Submission\b",
    re.IGNORECASE,
)
#: Refusals at RCPT that come without an enhanced code: Exim's, and those of its kind.
_NO_RELAY = re.compile(
    r"\brelay(?:ing)? (?:is )?(?:not permitted|not allowed|denied|access denied|prohibited)|\b(?:to|not) relay\b"
    r"|\bauthenticat(?:e\b|ion (?:is )?required)|\bsender verify failed|\ballowed rcpthosts",
    re.IGNORECASE,
)
#: Bad sequence, log in first, log-in refused (RFC 5321 §4.2.3, RFC 4954 §6).
_ABOUT_THE_SESSION = frozenset({503, 530, 535})
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)")
_OF_THE_CONNECTION = re.compile(r"\bper[ -](?:session|connection)\b", re.IGNORECASE)
_SPAN = (
    r"\d{1,5}\s*(?:h(?:(?:ou)?rs?)?|st(?:d|unden?)|m(?:in(?:ute[ns]?|s)?)?|s(?:e[ck](?:onds?|unden?|s)?)?)(?![a-z])"  # 5 min, 30s
)
_SPANS = rf"(?P<spans>{_SPAN}(?:(?:\s|,|and|und)*{_SPAN})*)"  # 1 hour and 30 minutes
_AGAIN = re.compile(
    rf"(?:again|retry|wait|deferred|gr[ea]y-?list\w*|come back|erneut|warten)\D{{0,40}}?"
    rf"(?:\bin (?P<clock>\d\d:[0-5]\d:[0-5]\d)(?![\d:])|{_SPANS})",  # milter-greylist: in 00:05:00
    re.IGNORECASE,
)
_AGAIN_BEHIND = re.compile(rf"\bin {_SPANS} (?:erneut|wieder|noch ?mal)", re.IGNORECASE)
_PARTS = re.compile(r"(\d+)\s*(st|[hms])", re.IGNORECASE)
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "st": HOUR}
_ADDRESS = re.compile(r"""[^\s<>()\[\],;:"'@]+@[^\s<>()\[\],;:"'@]+""")
_LONGEST_ASKED = 24 * HOUR


class Outcome(NamedTuple):
    """How one transaction ended. ``code`` is the reply's, None where there was none; ``reply`` is safe to print."""

    stage: Stage
    kind: Kind
    code: int | None = None
    reply: str = ""
    enhanced: str | None = None

    @property
    def answered(self) -> bool:
        """Whether a server is at work there: it answered, and not with a good-bye."""
        return self.kind == "reply" and self.stage != "own" and self.code != 421

    @property
    def is_policy(self) -> bool:
        """A refusal of what we are or send, not of this recipient: it would befall the others too."""
        if self.kind != "reply" or self.code is None or self.code < 500:
            return False
        if self.enhanced is not None:
            if self.enhanced.startswith("5.7.") or self.enhanced in _ABOUT_US or _ABOUT_US_IN_WORDS.match(self.reply):
                return True
            if self.stage != "MAIL" and self.enhanced.startswith(("5.1.", "5.2.")):
                return False
        elif _NO_RELAY.search(self.reply):
            return True
        return self.stage != "RCPT" or self.code in _ABOUT_THE_SESSION

    @property
    def wants_another_connection(self) -> bool:
        """A refusal for now of what comes on this connection: IONOS takes so many mails per session, and leaves it open."""
        return self.code is not None and 400 <= self.code < 500 and _OF_THE_CONNECTION.search(self.reply) is not None

    @property
    def missing_setting(self) -> str | None:
        """What to set, where the server takes nothing from anybody without it (RFC 4954 §6, RFC 3207 §4): all would hear that."""
        if self.kind != "reply" or self.stage != "MAIL" or self.code != 530:
            return None
        wants_tls = "starttls" in self.reply.lower()
        return "NEWSLETTER_SMTP_SECURITY=starttls" if wants_tls else "NEWSLETTER_SMTP_USERNAME and NEWSLETTER_SMTP_PASSWORD"

    @property
    def is_hard_bounce(self) -> bool:
        """The server says that there is no such mailbox."""
        if self.kind != "reply" or self.stage != "RCPT" or self.enhanced not in _HARD_BOUNCES:
            return False
        return _TOO_MUCH_MAIL.search(self.reply) is None


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait, in seconds: between the tries of one delivery (``first``, three times as long each time, up to
    ``longest``, give or take a tenth; longer where the reply asks for it), and before each new connection where the last ones
    came to nothing (``connecting``; when it is used up, the sending ends). A delivery whose pauses since its first try add up to
    ``give_up_after`` has failed; days on which nobody sent do not count (RFC 5321 §4.5.4.1 is about servers, which always run).
    """

    first: float = 60
    longest: float = 4 * 3600
    give_up_after: float = 2 * 24 * 3600
    connecting: tuple[float, ...] = (1, 2, 5, 10, 20, 30)
    jitter: Callable[[], float] = random.random

    def retry(self, attempts: int) -> int:
        """The pause after that many earlier tries, in microseconds."""
        return int(self._even(attempts) * SECOND * (0.9 + 0.2 * self.jitter()))

    def used_up(self, attempts: int) -> bool:
        """Whether the pauses after so many earlier tries and this one would be more than a delivery is given."""
        total = 0.0
        for number in range(attempts + 1):
            total += self._even(number)
            if total > self.give_up_after:
                return True
        return False

    def _even(self, attempts: int) -> float:
        return min(self.first * 3.0 ** min(attempts, 20), self.longest)

    def asked(self, reply: str) -> int | None:
        """The pause that a reply asks for, in microseconds, or None: ``Greylisted, try again in 5 minutes``."""
        found = _AGAIN.search(reply) or _AGAIN_BEHIND.search(reply)
        if found is None:
            return None
        if clock := found.groupdict().get("clock"):
            hours, minutes, seconds = map(int, clock.split(":"))
            wanted = hours * HOUR + minutes * MINUTE + seconds * SECOND
        else:
            wanted = sum(int(number) * _UNITS[unit.lower()] for number, unit in _PARTS.findall(found["spans"]))
        return int(min(wanted, _LONGEST_ASKED) * (1 + 0.1 * self.jitter()))  # never earlier than asked


def read_reply(stage: Stage, code: int, text: str) -> Outcome:
    """A server's reply as an outcome: its text on one line, without control characters (S22), its enhanced code apart."""
    if text.isprintable():
        reply = printable(text.strip())
    else:
        lines = [line.strip() for line in text.splitlines()]
        reply = printable(" ".join(line for line in lines if line))
    found = _ENHANCED.match(reply)
    enhanced = found[0] if found and found[1] == str(code)[:1] else None
    return Outcome(stage, "reply", code, reply, enhanced)


def nameless(reply: str, sender: str) -> str:
    """A reply for what is kept with the campaign, not with a recipient: of each address but the sender's as much as is needed.

    ``554 5.7.1 <ada@example.org>: Relay access denied`` would outlive her erasure there (L8).
    """
    return _ADDRESS.sub(lambda found: found[0] if found[0].lower() == sender.lower() else masked(found[0]), reply)


def printable(text: str) -> str:
    """Words of another program, fit for a terminal, a log and the database: escaped (S22) and cut."""
    if text.isprintable() and len(text) <= LONGEST_REPLY:
        return text
    escaped = "".join(char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode() for char in text)
    return escaped if len(escaped) <= LONGEST_REPLY else escaped[: LONGEST_REPLY - 1] + "…"


def judge(outcome: Outcome, claimed: Claimed, now: int, pauses: Pauses) -> Result | None:
    """The result to store, or None where the delivery is only to be given back: nothing happened that concerns it."""
    code, reply = outcome.code, outcome.reply
    if outcome.stage == "MAIL" and (outcome.kind == "lost" or code == 421):
        return None
    if outcome.kind == "lost" and outcome.stage == "end":
        return Result(claimed.id, "uncertain", reply=reply)
    if code is None and outcome.kind == "reply":  # our own words: this one cannot be sent as it is
        return Result(claimed.id, "failed", reply=reply)
    if code is not None and code < 300:
        return Result(claimed.id, "sent", code, outcome.enhanced, reply)
    if code is not None and code >= 500 and not outcome.is_policy:
        return Result(claimed.id, "failed", code, outcome.enhanced, reply, hard_bounce=outcome.is_hard_bounce)
    return _again(outcome, claimed, now, pauses)


def _again(outcome: Outcome, claimed: Claimed, now: int, pauses: Pauses) -> Result:
    """Another try later, or none where there were enough of them."""
    code, reply = outcome.code, outcome.reply
    if pauses.used_up(claimed.attempts):
        words = printable(f"given up after {claimed.attempts + 1} tries; the last answer was: {reply}")
        return Result(claimed.id, "failed", code, outcome.enhanced, words)
    later = now + pauses.retry(claimed.attempts)
    if (asked := pauses.asked(reply)) is not None:
        later = max(later, now + asked)
    if code is None or (code == 421 and outcome.stage != "end"):
        # It broke, or the server ends the connection (RFC 5321 §3.8): not about this delivery.
        return Result(claimed.id, "pending", reply=reply, next_at=later)
    why = POLICY if outcome.is_policy else None
    return Result(claimed.id, "deferred", code, outcome.enhanced, reply, later, why=why)
