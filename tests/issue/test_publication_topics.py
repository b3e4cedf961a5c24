"""What subscribers choose from, as publication.yaml says it."""

from typing import Any

import pytest
from pydantic import ValidationError

from newsletter.issue.model import Publication

IMPRINT = {"organisation": "O", "street": "S 1", "postal_code": "1", "city": "C", "email": "o@example.org"}


def publication(**values: Any) -> Publication:
    return Publication.model_validate(
        {"name": "N", "language": "de", "sender": {"email": "n@example.org"}, "imprint": IMPRINT} | values
    )


def test_topics_are_tags_with_the_words_that_readers_see() -> None:
    assert publication(topics={"presse": "Für die Presse"}, languages=["de", "en"]).topics == {"presse": "Für die Presse"}
    assert (publication().topics, publication().languages) == ({}, [])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"topics": {"presse, kommunen": "x"}}, "is no tag"),
        ({"topics": {" ": "x"}}, "is no tag"),
        ({"topics": {"presse": "x", "Presse": "y"}}, "stands there twice"),
        ({"topics": {"presse": ""}}, "topics.presse"),
        ({"languages": ["deutsch"]}, "did you mean de"),
    ],
)
def test_what_is_no_choice_is_told(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        publication(**values)
