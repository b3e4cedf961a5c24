"""A look is said by a query, and a query by a look."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.preview.look import CLIENTS, VIEWS, WIDTHS, Look

LOOKS = st.builds(
    Look,
    view=st.sampled_from(VIEWS),
    width=st.sampled_from(WIDTHS),
    client=st.sampled_from(CLIENTS),
    dark=st.sampled_from(["", "1"]),
    pictures=st.sampled_from(["", "off"]),
    to=st.sampled_from(["usual", "long", "jörg+a@süd.example"]),
    find=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    lang=st.sampled_from(["", "de", "en"]),
)


@given(LOOKS)
def test_a_query_says_all_of_a_look(look: Look) -> None:
    query = look.query()
    assert Look.of(dict(parse_qsl(query.removeprefix("?")))) == look
    assert (query == "") == (look == Look())


@given(st.dictionaries(st.sampled_from(list(Look.__slots__)), st.text(max_size=400)))
def test_any_query_is_a_look(query: dict[str, str]) -> None:
    look = Look.of(query)
    assert look.view in VIEWS
    assert look.width in WIDTHS
    assert look.client in CLIENTS


@pytest.mark.parametrize(("query", "said"), [({"width": "99999"}, "fit"), ({"width": "600"}, "600"), ({}, "fit")])
def test_what_nobody_knows_is_not_said(query: dict[str, str], said: str) -> None:
    assert Look.of(query).width == said


def test_a_form_keeps_the_rest() -> None:
    look = Look(width="320", dark="1", sent="3")
    assert look.others("width") == {"dark": "1"}
    assert look.home == ""
    assert Look(width="320", lang="en").home == "?lang=en"
