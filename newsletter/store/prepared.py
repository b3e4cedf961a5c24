"""A statement that runs for every message becomes the driver's own text, once: handing it over then costs less than running it.

SQLAlchemy takes several times as long to put a statement's values in their places as SQLite takes to run it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, CursorResult, Dialect, String, literal_column
from sqlalchemy.sql.expression import UpdateBase
from sqlalchemy.sql.selectable import SelectBase

T = TypeVar("T")


class Prepared:
    """A Core statement, compiled when it is first run on a dialect.

    Its values are integers, texts, bytes and None, which need no conversion; for lists see :func:`padded`, for states
    :func:`word`.
    """

    def __init__(self, statement: UpdateBase | SelectBase) -> None:
        self._statement = statement
        self._texts: dict[str, tuple[str, Sequence[str] | None, dict[str, Any]]] = {}

    def run(self, connection: Connection, values: Mapping[str, object]) -> CursorResult[Any]:
        """Run it with its named values. Raises KeyError where one is missing, and what ``Connection.execute`` raises."""
        return connection.exec_driver_sql(*self.spelled(connection.dialect, values))

    def spelled(self, dialect: Dialect, values: Mapping[str, object]) -> tuple[str, Any]:
        """Its text and its values as the dialect's driver takes them. Raises KeyError where a value is missing."""
        known = self._texts.get(dialect.name)
        text, order, own = known if known is not None else self._compile(dialect)
        given = {**own, **values}
        # Drivers with places instead of names want the values in their order.
        return text, given if order is None else tuple([given[name] for name in order])

    def _compile(self, dialect: Dialect) -> tuple[str, Sequence[str] | None, dict[str, Any]]:
        compiled = self._statement.compile(dialect=dialect)
        own = {name: bound.value for name, bound in compiled.binds.items() if not bound.required}
        made = self._texts[dialect.name] = (str(compiled), compiled.positiontup if compiled.positional else None, own)
        return made


def word(value: str) -> ColumnElement[str]:
    """A state as part of the text: compared with a bound one, SQLite would plan anew each time, for its partial indexes."""
    return literal_column(f"'{value}'", String)


def padded(values: Sequence[T]) -> list[T]:
    """The values, the last one repeated up to a multiple of four: so a few texts do for lists of every length."""
    return [*values, *[values[-1]] * (-len(values) % 4)]
