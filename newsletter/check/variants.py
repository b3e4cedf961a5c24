"""A recipient list tells which variants of an issue are needed, and a campaign how many recipients get which."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from newsletter.audience.recipient import People, Recipient
from newsletter.issue import Issue
from newsletter.issue.variant import MOST_VARIANTS, Choice, in_words, says_something
from newsletter.problem import InputError, Problem

_NOTHING = "no block of the issue that says anything; write one without only, or one that is for them"


def needed_variants(issue: Issue, people: People) -> list[str | None]:
    """The names of the variants that somebody on the list gets, by one pass over it; None alone where everyone gets the same.

    Raises :class:`InputError` where a variant has no content, at the first row that would get it, and where there are too many.
    """
    choice = Choice(issue.conditions, issue.language)
    if not issue.conditions:
        return [None]
    found: dict[str | None, Recipient] = {}
    for row in people:
        if isinstance(row, Recipient) and (name := choice(row.fields)) not in found:
            found[name] = row
            if len(found) > MOST_VARIANTS:
                raise InputError(issue.problem(("blocks",), _too_many(issue, people.path)))
    problems = [
        Problem(str(people.path), row.line, 1, "", f"{row.address} gets {_NOTHING}")
        for name, row in found.items()
        if not says_something(issue.content.blocks, name or "")
    ]
    if problems:
        raise InputError(problems)
    return list(found)


def _too_many(issue: Issue, path: Path) -> str:
    return (
        f"the recipients of {path} would get more than {MOST_VARIANTS} different mails, for the blocks have"
        f" {len(issue.conditions)} different 'only:'; let several blocks share one, or write issues of their own"
    )


def demand_content(issue: Issue, name: str | None, who: str) -> None:
    """Raise :class:`InputError` where a variant has no content; ``who`` begins the sentence that says so (``ada@… gets``)."""
    if name is not None and not says_something(issue.content.blocks, name):
        raise InputError(issue.problem(("blocks",), f"{who} {_NOTHING}"))


def variants_in_words(issue: Issue, counts: Sequence[tuple[str | None, int]]) -> Iterator[str]:
    """``1,204 get all of it``, ``96 get it without “Für die Presse”``: one sentence a variant."""
    for name, count in counts:
        if name is not None:
            yield f"{count:,} {'gets' if count == 1 else 'get'} {in_words(issue.content.blocks, name)}"
