"""CSS is read by its tokens: whatever stands in it, nothing is an error, and what is declared is found."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.check.clients.css import declarations, rules
from newsletter.check.clients.signs import of_element, of_sheet, of_style, selector

_CSS = st.text(alphabet="ab1-:;{}()[]'\"/*!@#.,>\\ \nu+%", max_size=60)
_NAMES = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
_VALUES = st.sampled_from(["red", "1px", "url( a;b.png )", "'a;b}'", "calc(1px + (2px * 2))", "a, b", "[x;y]"])


def said(style: str) -> list[tuple[str, str, bool]]:
    return [(one.name, "".join(token.text for token in one.value), one.important) for one in declarations(style)]


@given(_CSS)
def test_no_text_is_an_error(text: str) -> None:
    of_style(text)
    of_sheet(text)
    list(of_element("mj-text", [("style", text), ("color", text)]))


@given(st.lists(st.tuples(_NAMES, _VALUES, st.booleans()), max_size=5))
def test_what_is_declared_is_read(written: list[tuple[str, str, bool]]) -> None:
    style = ";".join(f" {name.upper()} : {value}{' ! Important' if important else ''} " for name, value, important in written)
    assert said(style) == written
    (rule,) = rules(f"p {{{style}}}")
    assert [one.name for one in rule.declarations] == [name for name, _, _ in written]


def test_what_is_broken_hides_nothing_behind_it() -> None:
    assert said("color; :red; 1px:2px; float: ; gap:1px") == [("float", "", False), ("gap", "1px", False)]
    assert said("/* a:b; */ gap: 1px /* c */") == [("gap", "1px", False)]


def test_rules_nest() -> None:
    outer, plain = rules("@MEDIA print {\n .a > b:hover { c: d } }\n.e, f[g='}'] {\n h: i }")
    assert (outer.name, [selector(inner) for inner in outer.rules]) == ("@media", [".a > b:hover"])
    assert (plain.name, selector(plain), [one.name for one in plain.declarations]) == ("", ".e, f[g='}']", ["h"])


def test_pseudo_classes_with_brackets_are_signs() -> None:
    signs = {sign.sign for sign in of_sheet("a:not(.b) { c: d } e:nth-child(2n) { f: g } h::before { i: j }")}
    assert {":not", ":nth-child", ":before"} <= signs
