"""What an inbox shows before a mail is opened: sender's name, subject, preheader (B23, B24, L14)."""

import re
from collections.abc import Iterator

from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Message, Subject

_FAKE_REPLY = re.compile(r"\s*(?:re|aw|fwd?|wg|antw)\s*:", re.IGNORECASE)
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\U0001f1e6-\U0001f1ff]")
_WORD = re.compile(r"[^\W\d_]{2,}")


def _subject(message: Message) -> str:
    return " ".join(str(message.parsed["Subject"] or "").split())


@rule(
    "B24-subject-long",
    "warning",
    "the subject has {length} letters; inboxes show 30 to 60 of them, and 78 are the most",
    "put the news first and shorten the rest",
    "RFC 5322 §2.1.1",
    Message,
)
def subject_long(message: Message) -> Iterator[Found]:
    """With the values of this recipient in it."""
    words = _subject(message)
    if len(words) > 78:
        yield found(message.subject.origin.key("subject"), length=len(words))


@rule(
    "B24-subject-shouts",
    "warning",
    "the subject is written in capitals",
    "write it as a sentence",
    "Google sender guidelines",
    Subject,
)
def subject_shouts(subject: Subject) -> Iterator[Found]:
    """Capitals are what spam looks like; an abbreviation among words is none."""
    words = _WORD.findall(subject.issue.content.subject.sample())
    if len(words) > 1 and all(word.isupper() for word in words):
        yield found(subject.origin.key("subject"))


@rule(
    "B24-subject-fakes-reply",
    "error",
    "the subject begins with “{start}”, as if it answered the reader",
    "begin with what the issue is about",
    "Google sender guidelines; § 6 DDG",
    Subject,
)
def subject_fakes_reply(subject: Subject) -> Iterator[Found]:
    """It misleads, and filters know it."""
    if match := _FAKE_REPLY.match(subject.issue.content.subject.sample()):
        yield found(subject.origin.key("subject"), start=match[0].strip())


@rule(
    "B24-subject-emoji",
    "warning",
    "the subject holds {count} pictograms",
    "keep one at most",
    "practice",
    Subject,
)
def subject_emoji(subject: Subject) -> Iterator[Found]:
    """A screen reader speaks each of them out."""
    count = len(_EMOJI.findall(subject.issue.content.subject.sample()))
    if count > 1:
        yield found(subject.origin.key("subject"), count=count)


@rule(
    "B23-no-preheader",
    "warning",
    "the issue has no preheader, so inboxes show the first words that they find",
    "add preheader: with one sentence of 40 to 100 letters that goes on where the subject ends",
    "practice",
    Subject,
)
def no_preheader(subject: Subject) -> Iterator[Found]:
    """The line behind the subject decides with it whether a mail is opened."""
    if subject.issue.content.preheader is None:
        yield found(subject.origin.key("preheader"))


@rule(
    "B23-preheader-length",
    "warning",
    "the preheader has {length} letters; 40 to 100 are right",
    "lengthen it until inboxes show nothing else, or shorten it until nothing is cut off",
    "practice",
    Subject,
)
def preheader_length(subject: Subject) -> Iterator[Found]:
    """A short one is filled up by what comes next."""
    preheader = subject.issue.content.preheader
    length = len(preheader.sample()) if preheader is not None else 40
    if not 40 <= length <= 100:
        yield found(subject.origin.key("preheader"), length=length)


@rule(
    "B23-preheader-repeats",
    "warning",
    "the preheader says the same as the subject",
    "go on where the subject ends",
    "practice",
    Subject,
)
def preheader_repeats(subject: Subject) -> Iterator[Found]:
    """Inboxes show both, one behind the other."""
    content = subject.issue.content
    if content.preheader is not None:
        said, line = (" ".join(_WORD.findall(text.sample().casefold())) for text in (content.preheader, content.subject))
        if said == line:
            yield found(subject.origin.key("preheader"))


@rule(
    "B23-preheader-not-first",
    "warning",
    "the preheader is not the first text of the mail, so inboxes show “{first}” instead",
    "put the preheader at the top of the layout",
    "practice",
    Message,
)
def preheader_not_first(message: Message) -> Iterator[Found]:
    """Inboxes take the first words of the body."""
    preheader = message.subject.issue.content.preheader
    words = (" ".join(text.split()) for text in message.page.modern.body.itertext("p", "div", "td", "span", "a", "h1"))
    first = next((text for text in words if text), "")
    if preheader is not None and not preheader.fields and preheader.sample() != first:
        yield found(message.subject.origin.layout(), first=first[:60])


@rule(
    "L14-sender-without-name",
    "warning",
    "the sender's name is {name}, which does not say who writes",
    "give sender: a name, as readers know your office",
    "§ 6 DDG",
    Subject,
)
def sender_without_name(subject: Subject) -> Iterator[Found]:
    """Readers decide by the sender's name first."""
    publication = subject.issue.publication
    name = publication.sender.name or publication.name
    if "@" in name or name.strip().casefold() in {"newsletter", "info", "noreply", "no-reply", "mail", "news"}:
        yield found(subject.origin.publication("sender", "name"), name=name)


@rule(
    "L14-no-reply",
    "warning",
    "answers go to {address}, where nobody seems to read",
    "name a mailbox that somebody reads in reply_to",
    "§ 5 DDG",
    Subject,
)
def no_reply(subject: Subject) -> Iterator[Found]:
    """Readers answer newsletters; an office that cannot be written to says so to all of them."""
    sender = subject.issue.publication.sender
    address = sender.reply_to or sender.email
    if re.fullmatch(r"(?:no-?reply|do-?not-?reply|nicht-?antworten)[^@]*", address.rpartition("@")[0], re.IGNORECASE):
        yield found(subject.origin.publication("sender", "reply_to" if sender.reply_to else "email"), address=address)
