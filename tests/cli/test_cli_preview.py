"""``newsletter preview`` from the command line."""

import re
import signal
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Office


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_and_serves_until_it_is_stopped(office: "Office", how: signal.Signals) -> None:
    showing = office.process("preview", "2026-12", "--no-open")
    assert showing.stderr is not None
    address = re.fullmatch(r"preview: (http://127\.0\.0\.1:\d+/([\w-]{22})/)issue/2026-12\n", showing.stderr.readline())
    assert address is not None
    assert showing.stderr.readline() == f"inbox:   {address[1]}inbox\n"
    with urllib.request.urlopen(f"{address[1]}issue/2026-12") as answer:
        assert "Neues aus der Region" in answer.read().decode()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(address[1].replace(address[2], "guessed"))
    showing.stderr.readline()
    showing.send_signal(how)
    out, err = showing.communicate(timeout=60)
    assert (showing.returncode, out, err.strip()) == (0, "", "")


def test_what_cannot_be_shown_is_said(office: "Office", post: object) -> None:
    ran = office.newsletter("preview", "2026-21", "--no-open")
    assert (ran.code, "there is no issue '2026-21'" in ran.err) == (2, True)
    ran = office.newsletter("preview", "--to", "none.csv", "--no-open")
    assert (ran.code, ran.err) == (2, "none.csv: there is no such file; --to names a recipient list\n")
    ran = office.newsletter("preview", "--no-open", "--port", str(office.post.port))
    assert (ran.code, f"cannot listen on 127.0.0.1, port {office.post.port}" in ran.err) == (2, True)
