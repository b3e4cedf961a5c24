"""When and how fast a publication sends, as its file says it: ``sending`` in ``issues/publication.yaml``."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from newsletter.issue.parts import Model, PlainText

_SPAN = re.compile(r"(\d{1,2}):(\d\d)\s*[-–]\s*(\d{1,2}):(\d\d)")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

#: The large mailbox providers that are known by name, with the domains that they take mail for.
PROVIDERS: dict[str, tuple[str, ...]] = {
    "gmx": (
        "gmx.de",
        "gmx.net",
        "gmx.at",
        "gmx.ch",
        "gmx.com",
        "gmx.eu",
        "gmx.info",
        "gmx.org",
        "web.de",
        "email.de",
        "mail.com",
    ),
    "telekom": ("t-online.de", "magenta.de"),
    "freenet": ("freenet.de",),
    "ionos": ("online.de", "onlinehome.de"),
    "vodafone": ("arcor.de", "vodafone.de", "vodafonemail.de", "kabelmail.de", "unitybox.de"),
    "google": ("gmail.com", "googlemail.com"),
    "microsoft": ("outlook.com", "outlook.de", "hotmail.com", "hotmail.de", "live.com", "live.de", "msn.com"),
    "yahoo": ("yahoo.com", "yahoo.de", "ymail.com", "rocketmail.com", "aol.com", "aol.de"),
    "apple": ("icloud.com", "me.com", "mac.com"),
}


def _hours(value: Any) -> tuple[int, int]:
    """Minutes after midnight; an end before the begin is on the next day."""
    if isinstance(value, tuple):
        return value
    found = _SPAN.fullmatch(str(value).strip())
    if found is not None:
        begin, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
        if max(int(found[2]), int(found[4])) < 60 and begin < 24 * 60 and end <= 24 * 60 and begin != end:
            return begin, end
    raise ValueError('must be a span of the day, such as "08:00-20:00"')


def _weekdays(value: Any) -> tuple[int, ...]:
    """Numbers of weekdays, Monday is 0."""
    if isinstance(value, tuple):
        return value
    days: set[int] = set()
    for part in str(value).lower().split(","):
        ends = [day.strip() for day in part.split("-")]
        if len(ends) > 2 or any(day not in _DAYS for day in ends):
            raise ValueError("must be weekdays, such as mon-fri or mon, wed, fri")
        first, last = _DAYS.index(ends[0]), _DAYS.index(ends[-1])
        days.update(number % 7 for number in range(first, (last if last >= first else last + 7) + 1))
    return tuple(sorted(days))


def _late(value: Any) -> float:
    hours = _number(value)
    if hours is None or not 0 <= hours <= 24 * 30:
        raise ValueError("must be a number of hours, 0 to 720")
    return hours


def _rate(value: Any) -> float:
    rate = _number(value)
    if rate is None or not 0.01 <= rate <= 100_000:
        raise ValueError("must be messages a second, 0.01 to 100000; one a minute is 0.017")
    return rate


def _connections(value: Any) -> int:
    count = _number(value)
    if count is None or count != int(count) or not 1 <= count <= 100:
        raise ValueError("must be a whole number, 1 to 100")
    return int(count)


def _number(value: Any) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None  # neither nan nor inf


def _domains(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of domains, such as [gmx.de, gmx.net]")  # noqa: TRY004 - Pydantic wants a ValueError
    names = [str(name).strip().lower() for name in value]
    for name in names:
        if not _DOMAIN.fullmatch(name):
            raise ValueError(f"{name!r} is no domain; write what stands after the @, in ASCII")
    return names


def _providers(value: Any) -> Any:
    if isinstance(value, dict):
        owners: dict[str, str] = {}
        for name, given in value.items():
            if not _NAME.fullmatch(str(name)):
                raise ValueError(f"{name!r} cannot name a provider; take small letters, digits and dashes")
            domains = given.get("domains") if isinstance(given, dict) else None
            if not domains and name not in PROVIDERS:
                raise ValueError(f"{name} is not known by name: add its domains, or take one of {', '.join(PROVIDERS)}")
            for domain in domains if isinstance(domains, list) else PROVIDERS.get(name, ()):
                if (other := owners.setdefault(str(domain).strip().lower(), name)) != name:
                    raise ValueError(f"{domain} belongs to {other} and to {name}; leave it to one of them")
    return value


_NUMBER = WithJsonSchema({"type": "number", "minimum": 0})
Rate = Annotated[float, BeforeValidator(_rate), WithJsonSchema({"type": "number", "minimum": 0.01})]
Connections = Annotated[int, BeforeValidator(_connections), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 100})]
Hours = Annotated[tuple[int, int], BeforeValidator(_hours), WithJsonSchema({"type": "string"})]
Weekdays = Annotated[tuple[int, ...], BeforeValidator(_weekdays), WithJsonSchema({"type": "string"})]
Domains = Annotated[list[PlainText], BeforeValidator(_domains)]
LateHours = Annotated[float, BeforeValidator(_late), _NUMBER]


class Provider(Model):
    """How fast one mailbox provider is written to."""

    noun = "a provider"

    domains: Domains = Field([], description="what stands after the @; may be left out for a provider that is known by name")
    rate: Rate | None = Field(None, description="messages a second, at most")
    connections: Connections | None = Field(None, description="messages on their way at the same time, at most")


class SendingRules(Model):
    """When and how fast issues are sent."""

    noun = "the sending"

    late_hours: LateHours = Field(6, description="a planned sending begins at most so many hours late, else it waits for you")
    hours: Hours | None = Field(None, description='the hours to send in, by the publication\'s time zone: "08:00-20:00"')
    days: Weekdays | None = Field(None, description="the days to send on: mon-fri")
    providers: Annotated[dict[str, Provider], BeforeValidator(_providers)] = Field(
        {}, description="mailbox providers that want their mail slowly, by name, each with a rate or connections"
    )

    def lanes(self) -> dict[str, str]:
        """The provider of each domain (A-label) that belongs to one."""
        return {domain: name for name, of in self.providers.items() for domain in of.domains or PROVIDERS[name]}
