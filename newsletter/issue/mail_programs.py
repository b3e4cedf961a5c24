"""The names of the mail programs that a publication can be checked for: those of Can I email (https://www.caniemail.com/)."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from newsletter.issue.model_mistakes import nearest

CLIENTS = (
    *("aol", "apple-mail", "fastmail", "free-fr", "gmail", "gmx", "hey", "ionos-1and1", "laposte", "mail-ru", "orange"),
    *("outlook", "protonmail", "rainloop", "samsung-email", "sfr", "t-online-de", "thunderbird", "web-de", "wp-pl", "yahoo"),
)
#: What people in Germany read mail with.
GERMAN = ("gmx", "web-de", "t-online-de", "ionos-1and1", "outlook", "gmail", "apple-mail", "thunderbird", "samsung-email")


def _client(value: str) -> str:
    name = value.strip().lower()
    if name not in CLIENTS:
        raise ValueError(f"{value!r} is no mail program that is known; {nearest(name, list(CLIENTS))}")
    return name


Client = Annotated[str, AfterValidator(_client), WithJsonSchema({"type": "string", "enum": list(CLIENTS)})]
