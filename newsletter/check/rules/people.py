"""The recipient list: every merge field has a column, and every recipient a value for it (M rules are this program's own)."""

from collections.abc import Iterator

from newsletter.check.fields import meant, unknown_fields
from newsletter.check.origin import Place
from newsletter.check.rule import Found, found, rule
from newsletter.check.subject import Subject


@rule(
    "M1-unknown-field",
    "error",
    "the merge field {field} is no column of {list}, and it has no default",
    "write {near}, or give the field a default: {{{{ {field} | default('…') }}}}",
    "design.md, An issue file",
    Subject,
)
def unknown_field(subject: Subject) -> Iterator[Found]:
    """Told at the merge field, with the column that was perhaps meant."""
    if subject.people is None:
        return
    columns = subject.people.columns
    for use in unknown_fields(subject.issue, columns, subject.edition.variant_names):
        problem = use.problem("")
        place = Place(problem.path, problem.line, problem.column, problem.where)
        yield found(place, field=use.name, list=subject.people.path, near=meant(use.name, columns) or " / ".join(columns))


@rule(
    "M2-empty-field",
    "error",
    "{address} has no {field}, which the issue needs",
    "fill the cell, or give the merge field a default: {{{{ {field} | default('…') }}}}",
    "design.md, An issue file",
    Subject,
)
def empty_field(subject: Subject) -> Iterator[Found]:
    """Told at the row of the list."""
    if subject.people is None:
        return
    for empty in subject.people.empty:
        if empty.field in subject.people.columns:
            yield found(empty.at, address=empty.address, field=empty.field)


@rule(
    "M3-no-message",
    "error",
    "no message can be made for {address}: {reason}",
    "mend the row of the list",
    "standards.md S1",
    Subject,
)
def no_message(subject: Subject) -> Iterator[Found]:
    """What a value would do to a header."""
    for row in subject.people.unmakeable if subject.people is not None else ():
        yield found(row.at, address=row.address, reason=row.reason)
