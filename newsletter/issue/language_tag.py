"""What staff write as a language becomes a BCP 47 tag, or a sentence that says which was meant."""

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

_TAG = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"


def language_tag(value: str) -> str:
    """The tag without blanks around it. Raises ValueError for what is none (RFC 5646 §2.1): ``english``, ``de_AT``."""
    tag = value.strip()
    if not re.fullmatch(_TAG, tag):
        meant = _meant(tag)
        advice = f"did you mean {meant}?" if meant else "write e.g. de, en or de-AT"
        raise ValueError(f"{tag!r} is no language code; {advice}")
    return tag


def _meant(written: str) -> str | None:
    """The code of a language's English or German name, or the tag that differs in case and strokes alone."""
    from babel import Locale

    for names in (Locale("en").languages, Locale("de").languages):
        if code := next((code for code, name in names.items() if name.casefold() == written.casefold()), None):
            return str(code)
    first, *rest = re.split("[-_]", written)
    tag = "-".join([first.lower(), *rest])
    return tag if re.fullmatch(_TAG, tag) and first.lower() in Locale("en").languages else None


Language = Annotated[str, AfterValidator(language_tag), WithJsonSchema({"type": "string", "pattern": f"^{_TAG}$"})]
