"""Links and mail addresses: what may go into a mail, and in which spelling."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issue.address import check_mailbox, check_url


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://example.org", "https://example.org"),
        ("  HTTPS://Example.ORG/Pfad?a=1&b=2#c ", "https://example.org/Pfad?a=1&b=2#c"),
        ("https://Bücher.example/ä b?q=ü#ß", "https://xn--bcher-kva.example/%C3%A4%20b?q=%C3%BC#%C3%9F"),
        ("https://straße.example:8443/", "https://xn--strae-oqa.example:8443/"),
        ("https://example.org/100%/%C3%A4?f[a]=b", "https://example.org/100%25/%C3%A4?f%5Ba%5D=b"),
        ('https://example.org/"<x>', "https://example.org/%22%3Cx%3E"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000/x"),
        ("http://[::1]:8000/x", "http://[::1]:8000/x"),
        ("mailto:info@Bücher.example", "mailto:info@xn--bcher-kva.example"),
        (
            "mailto:a@x.org,b@x.org?subject=Grüße an alle&cc=c@x.org",
            "mailto:a@x.org,b@x.org?subject=Gr%C3%BC%C3%9Fe%20an%20alle&cc=c@x.org",
        ),
        ("tel:+49 (611) 12-34", "tel:+49(611)12-34"),
        ("tel:0611/1234", "tel:06111234"),
    ],
)
def test_links_are_spelled_for_the_mail(written: str, sent: str) -> None:
    assert check_url(written) == sent
    assert check_url(sent) == sent


@pytest.mark.parametrize(
    ("written", "piece"),
    [
        ("", "is empty"),
        (" ", "is empty"),
        ("#", "leads nowhere"),
        ("/pfad", "leads nowhere"),
        ("../pfad", "leads nowhere"),
        ("?a=b", "leads nowhere"),
        ("www.example.org/x", "did you mean https://www.example.org/x?"),
        ("info@example.org", "did you mean mailto:info@example.org?"),
        ("http://example.org", "must be https; try https://example.org"),
        ("http://127.0.0.1.example.org/", "must be https"),
        ("http://localhost:8000/", "localhost is each reader's own machine"),
        ("https://app.localhost./", "localhost is each reader's own machine"),
        ("javascript:alert(1)", "javascript: links are not allowed"),
        ("JavaScript:alert(1)", "javascript: links are not allowed"),
        ("data:text/html,x", "data: links are not allowed"),
        ("file:///etc/passwd", "file: links are not allowed"),
        ("cid:x", "cid: links are not allowed"),
        ("https:example.org", "names no host"),
        ("https:///pfad", "names no host"),
        ("https://user@example.org/", "user name or password"),
        ("https://user:secret@example.org/", "user name or password"),
        ("https://exam ple.org/", "is no host name"),
        ("https://ex%61mple.org/", "is no host name"),
        ("https://[::1", "is no address"),
        ("https://example.org:99999/", "is no address"),
        ("https://example.org\\@evil.example", "a backslash"),
        ("https://example.org/a\nb", "a line break"),
        ("https://example.org/\r", "U+000D"),
        ("https://example.org/\u2028", "U+2028"),
        ("https://example.org/{{ id }}", "placeholder '{{'"),
        ("https://example.org/%s", "placeholder '%s'"),
        ("https://example.org/${id}", "placeholder '${'"),
        ("https://[URL]/", "placeholder '[URL]'"),
        ("[LINK EINFÜGEN]", "placeholder '[LINK EINFÜGEN]'"),
        ("mailto:", "is no mail address"),
        ("mailto:Name <a@example.org>", "is no mail address"),
        ("mailto:a@example.org?subject=x%0ABcc:b@x.org", "coded line break"),
        ("mailto:a%0d%0a@example.org", "coded line break"),
        ("mailto:a@example.org?bcc=b@example.org", "'bcc' cannot be set"),
        ("mailto:a@example.org?attach=/etc/passwd", "'attach' cannot be set"),
        ("tel:", "is no telephone number"),
        ("tel:+49;javascript:x", "is no telephone number"),
    ],
)
def test_links_that_are_refused(written: str, piece: str) -> None:
    with pytest.raises(ValueError, match=re.escape(piece)) as caught:
        check_url(written)
    assert "secret" not in str(caught.value)


@given(
    st.sampled_from(
        ["", "https://", "https://example.org/", "mailto:", "mailto:a@example.org?subject=", "tel:+49", "http://[::1]"]
    ),
    st.text(),
)
def test_any_text_is_spelled_once_and_for_all_or_refused(start: str, rest: str) -> None:
    try:
        sent = check_url(start + rest)
    except ValueError:
        return
    assert sent.isascii()
    assert sent.isprintable()
    assert " " not in sent
    assert sent.startswith(("https://", "mailto:", "tel:", "http://127.", "http://[::1]"))
    assert check_url(sent) == sent


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" info@example.org ", "info@example.org"),
        ("Redaktion@Bücher.Example", "Redaktion@xn--bcher-kva.example"),
        ("o'neil+x@example.org",) * 2,
    ],
)
def test_mail_addresses_keep_their_local_part(written: str, kept: str) -> None:
    assert check_mailbox(written) == kept


@pytest.mark.parametrize(
    "written",
    [
        "",
        "info",
        "info@",
        "@example.org",
        "info@example",
        "grüße@example.org",
        "a@example.org\r\nBcc: b@x.org",
        "A <a@example.org>",
        "a@b@example.org",
    ],
)
def test_mail_addresses_that_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"is no mail address|control character"):
        check_mailbox(written)
