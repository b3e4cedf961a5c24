"""The query of an address becomes the way one looks at an issue, and back: every view can be kept as a bookmark."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

VIEWS = ("mail", "text", "headers", "source")
WIDTHS = ("fit", "320", "375", "600", "1200")
CLIENTS = ("", "gmx", "outlook")

_ALLOWED: dict[str, tuple[str, ...]] = {
    "view": VIEWS,
    "width": WIDTHS,
    "client": CLIENTS,
    "dark": ("", "1"),
    "pictures": ("", "off"),
    "lang": ("", "de", "en"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """What is shown (``view``, of a mail ``width`` pixels wide), as which mail program shows it (``client``, ``dark``,
    ``pictures``), ``to`` whom (an address of the list, or the name of a sample person), and in which language the page speaks.

    ``find`` is what was searched for in the list, ``sent`` the number of the test mail that was just sent.
    """

    view: str = "mail"
    width: str = "fit"
    client: str = ""
    dark: str = ""
    pictures: str = ""
    to: str = "usual"
    find: str = ""
    lang: str = ""
    sent: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Look":
        """Read a query; what it says and nobody knows counts as not said."""
        said = {field.name: query[field.name][:320] for field in fields(cls) if query.get(field.name)}
        return cls(**{name: value for name, value in said.items() if value in _ALLOWED.get(name, (value,))})

    def query(self, **changes: Any) -> str:
        """The query of this look with ``changes``: ``?width=320&dark=1``, shorter for what is usual, empty where all is."""
        usual = asdict(Look())
        said = {name: value for name, value in asdict(replace(self, **changes)).items() if value != usual[name]}
        return f"?{urlencode(said)}" if said else ""

    def others(self, *names: str) -> dict[str, str]:
        """What a form that chooses ``names`` has to keep."""
        usual = asdict(Look())
        kept = asdict(replace(self, sent=""))
        return {name: value for name, value in kept.items() if name not in names and value != usual[name]}

    @property
    def home(self) -> str:
        """The query for another page: the language alone."""
        return Look(lang=self.lang).query()
