"""Addresses as spreadsheets hold them."""

import unicodedata

import email_validator
import idna
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.audience import address as module
from newsletter.audience.address import Address, normalise
from newsletter.message import wire_address

#: Letters that addresses are made of, and those by which they go wrong.
_NEAR = st.text(st.sampled_from("aZ0.-_+'@@xn--de.org\"[]<> ,;\n\0éß"), max_size=40)
_ATOM = st.text(st.sampled_from("abcXYZ019!#$%&'*+-/=?^_`{|}~"), min_size=1, max_size=12)
_LABEL = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,10}[a-zA-Z0-9])?", fullmatch=True)
_ASCII = st.builds(
    lambda local, labels, top: f"{'.'.join(local)}@{'.'.join(labels)}.{top}",
    st.lists(_ATOM, min_size=1, max_size=3),
    st.lists(_LABEL, min_size=1, max_size=3),
    st.sampled_from(["de", "org", "ORG", "museum", "test", "local", "Invalid", "xn--p1ai", "c1", "example"]),
)
_LETTERS = st.text(st.characters(categories=["Ll", "Lu", "Lo", "Mn", "Nd"]), min_size=1, max_size=10)
_ANY = st.builds(lambda local, domain: f"{local}@{domain}.example", _LETTERS, _LETTERS)


@pytest.mark.parametrize(
    ("cell", "spelling"),
    [
        ("a@example.org", "a@example.org"),
        ("  Anna.Meier@Example.ORG\t", "Anna.Meier@Example.ORG"),
        ("a@example.org,", "a@example.org"),
        (";a@example.org; ", "a@example.org"),
        ("\u00a0a@example.org\u00a0", "a@example.org"),
        ("\ufeffa@example.org\u200b", "a@example.org"),
        ("mailto:a@example.org", "a@example.org"),
        ("MailTo: a@example.org?subject=Hallo%20du", "a@example.org"),
        ("<a@example.org>", "a@example.org"),
        ("<mailto:a@example.org>", "a@example.org"),
        ("a@example.org>", "a@example.org"),
        ('"a@example.org"', "a@example.org"),
        ("'a@example.org'", "a@example.org"),
        ("Jörg Müller <joerg@example.org>", "joerg@example.org"),
        ('"Müller, Jörg" <joerg@example.org>;', "joerg@example.org"),
        ("'joerg@example.org' <Joerg@example.org>", "Joerg@example.org"),
        ("o'brien+news@example.org", "o'brien+news@example.org"),
        ("jörg@example.org", "jörg@example.org"),
        ("jo\u0308rg@example.org", "jörg@example.org"),
        ("info@MÜLLER.example", "info@müller.example"),
        ("info@XN--MLLER-KVA.example", "info@XN--MLLER-KVA.example"),
        ("info@straße.example", "info@straße.example"),
    ],
)
def test_what_is_around_an_address_is_taken_off_and_its_spelling_kept(cell: str, spelling: str) -> None:
    assert normalise(cell).spelling == spelling


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "is empty"),
        (" ;, ", "is empty"),
        ("anna.example.org", "has no @"),
        ("anna＠example.org", "has an @ of another script; write the plain @"),
        ("@example.org", "has nothing before the @"),
        ("anna@", "has nothing after the @"),
        ("anna@example.org.", "ends with a dot"),
        (".anna@example.org", "starts with a dot"),
        ("anna.@example.org", "has a dot before the @"),
        ("anna@.example.org", "has a dot behind the @"),
        ("an..na@example.org", "has two dots in a row"),
        ("anna meier@example.org", "contains a blank"),
        ("anna@example. org", "contains a blank"),
        ("anna@example,org", "has a comma where a dot must stand"),
        ("anna@example", "has no dot after the @, so its domain is not whole"),
        ("anna@server.local", "ends in a name that does not exist on the Internet"),
        ("anna@@example.org", "has more than one @"),
        ("a@example.org, b@example.org", "holds two addresses in one cell; give each its own row"),
        ("a@example.org;b@example.org", "holds two addresses in one cell; give each its own row"),
        ("a@example.org / b@example.org", "holds two addresses in one cell; give each its own row"),
        ("a@example.org <b@example.org>", "holds two addresses in one cell; give each its own row"),
        ("b@example.org>\r\nRCPT TO:<evil@example.org", "holds two addresses in one cell; give each its own row"),
        ('"anna meier"@example.org', "contains a blank"),
        ('"a@evil.example"@example.org', "has more than one @"),
        ('"anna"@example.org', "has quotes before the @, which is not supported"),
        ("a" * 65 + "@example.org", "has more than 64 octets before the @; no server takes that"),
        ("ä" * 33 + "@example.org", "has more than 64 octets before the @; no server takes that"),
        ("an=?na@example.org", "has =? before the @, which mail programs take for the beginning of encoded text"),
        ("anna@[192.0.2.1]", "has a number in brackets after the @ where a domain must stand"),
        ("an\u200bna@example.org", "contains an invisible character (ZERO WIDTH SPACE); write it anew"),
        ("anna@exam\u00adple.org", "contains an invisible character (SOFT HYPHEN); write it anew"),
        ("an\0na@example.org", "contains a character that could not be read; write it anew"),
        ("m\ufffdller@example.org", "contains a character that could not be read; write it anew"),
        (
            b"m\xfcller@example.org".decode("ascii", "surrogateescape"),
            "contains a character that could not be read; write it anew",
        ),
    ],
)
def test_a_wrong_address_is_told_in_plain_words(cell: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^.+$") as caught:
        normalise(cell)
    assert str(caught.value) == reason


def test_what_has_no_words_of_ours_gets_those_of_email_validator() -> None:
    with pytest.raises(ValueError, match=r"^is no mail address: the part after the @-sign contains invalid characters: '_'$"):
        normalise("anna@my_server.example.org")


@pytest.mark.parametrize(
    "same",
    [
        ("Anna@Example.ORG", " anna@example.org;", "Anna <ANNA@EXAMPLE.org>"),
        ("info@müller.example", "Info@MÜLLER.example", "info@xn--mller-kva.example", "info@mu\u0308ller.example"),
        ("jörg@example.org", "JO\u0308RG@example.org"),
        ("a@b.example", "a@b。example"),
    ],
)
def test_spellings_of_one_recipient_have_one_key(same: tuple[str, ...]) -> None:
    assert len({normalise(cell).key for cell in same}) == 1


def test_nothing_is_transliterated() -> None:
    keys = {normalise(f"{name}@example.org").key for name in ("straße", "strasse", "müller", "mueller", "muller")}
    assert len(keys) == 5


@pytest.mark.parametrize("name", email_validator.SPECIAL_USE_DOMAIN_NAMES)
def test_the_fast_path_knows_every_reserved_name_that_email_validator_knows(name: str) -> None:
    for text in (f"a@b.{name}", f"a@b.{name.upper()}"):
        assert module._plain(text) is None


def _as_checked(text: str) -> Address | None:
    try:
        return module._checked(text)
    except ValueError:
        return None


@given(_NEAR | _ASCII)
@example("a@" + "b" * 63 + ".de")
@example("a@" + "b" * 64 + ".de")
@example("a" * 250 + "@b.de")
@example("a" * 249 + "@b.de")
@example("a@ab--cd.de")
@example("a@xn--a.de")
@example("a@b.de\n")
@example("\u212a@b.de")  # the sign for kelvin, whose small letter is k
@settings(deadline=None)
def test_the_fast_path_accepts_nothing_that_email_validator_refuses_and_reads_it_alike(text: str) -> None:
    if found := module._plain(text):
        assert found == Address(text, text.lower()) == _as_checked(text)


@given(_ASCII)
@settings(deadline=None)
def test_the_fast_path_takes_every_plain_address(text: str) -> None:
    plain = "--" not in text.rpartition("@")[2] and text.rpartition(".")[2].isalpha()
    if plain and _as_checked(text) is not None:
        assert module._plain(text)


@given(_ASCII | _ANY)
@example("0@Ꭰ.example")  # a script whose capitals are what IDNA keeps
@settings(deadline=None)
def test_a_key_is_its_own_key_and_its_domain_an_a_label(text: str) -> None:
    try:
        found = normalise(text)
    except ValueError:
        return
    assert normalise(found.key).key == found.key
    assert normalise(found.spelling) == found
    domain = found.key.rpartition("@")[2]
    assert domain.isascii()
    assert domain == domain.lower()
    assert unicodedata.is_normalized("NFC", found.key)
    written = found.spelling.rpartition("@")[2]
    assert (written.lower() if written.isascii() else idna.encode(written).decode()) == domain


@given(_ASCII | _ANY | _NEAR | st.text(max_size=60).map(lambda local: f"{local}@example.org"))
@example("a" * 65 + "@example.org")
@example("a=?b@example.org")
@settings(deadline=None)
def test_mail_can_be_written_to_every_address_that_is_taken(text: str) -> None:
    """Else one row of a list would keep the whole of it from being sent."""
    try:
        found = normalise(text)
    except ValueError:
        return
    wire = wire_address(found.spelling)
    assert wire.rpartition("@")[2].lower() == found.key.rpartition("@")[2]


@given(st.text(max_size=60) | _NEAR)
@settings(deadline=None)
def test_any_text_is_an_address_on_one_line_or_a_value_error(cell: str) -> None:
    try:
        found = normalise(cell)
    except ValueError:
        return
    assert found.spelling.count("@") == 1
    assert not any(char.isspace() or char in '<>,;"\0' for char in found.spelling)
