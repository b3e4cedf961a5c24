"""``newsletter doctor``: a line each, in the office's language, and the exit code."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.doctor.conftest import Zone

if TYPE_CHECKING:
    from tests.cli.conftest import Office


@pytest.fixture
def zone() -> Iterator[Zone]:
    with Zone() as zone:
        zone.put("example.org", "MX", "10 mail.example.org.")
        zone.spf("example.org", "mx -all")
        zone.address("mail.example.org", "192.0.2.25")
        zone.put("_dmarc.example.org", "TXT", "v=DMARC1; p=reject")
        yield zone


@pytest.fixture(autouse=True)
def _in_order(office: "Office") -> None:
    office.settings(secret_key="DqKoQwZ4nU8vTz1aYb7cXe2fRg9hSj5k")
    (office.root / ".env").chmod(0o600)


def test_an_office_in_order(office: "Office", zone: Zone) -> None:
    ran = office.newsletter("doctor", "--resolver", zone.place)
    assert (ran.code, ran.out) == (0, "")
    assert "gut      der geheime Schlüssel ist da und lang genug\n" in ran.err
    assert ran.err.endswith("Es kann losgehen.\n")
    assert max(map(len, ran.err.splitlines())) < 80
    assert office.campaigns() == []


def test_an_error_has_its_cure_and_its_exit_code(office: "Office", zone: Zone) -> None:
    del zone.records["_dmarc.example.org", "TXT"]
    (office.root / ".env").chmod(0o644)
    ran = office.newsletter("doctor", "--resolver", zone.place, "--language", "en")
    assert (ran.code, ran.out) == (1, "")
    assert "error    everyone on this machine can read .env\n         → chmod 600 .env\n" in ran.err
    assert "error    example.org has no DMARC record;" in ran.err
    assert ran.err.endswith("Not ready for sending yet.\n")


def test_json_is_one_object(office: "Office", zone: Zone) -> None:
    ran = office.newsletter("doctor", "--json", "--language", "en", "--resolver", zone.place)
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["error"] == 0
    assert ran.json["ok"] == sum(check["level"] == "ok" for check in ran.json["checks"])
    assert {"id": "mx", "level": "ok", "message": "answers to example.org go to mail.example.org", "mend": ""} in ran.json[
        "checks"
    ]


def test_one_broken_file_does_not_keep_the_rest_from_being_looked_at(office: "Office", zone: Zone) -> None:
    office.settings(smtp_port="x")
    publication = office.root / "issues" / "publication.yaml"
    told = office.newsletter("doctor", "--json", "--resolver", zone.place).json["checks"]
    assert next(check["message"] for check in told if check["id"] == "wrong").startswith(".env: NEWSLETTER_SMTP_PORT: ")
    assert {"mx", "spf-there", "dmarc"} <= {check["id"] for check in told}
    (office.root / ".env").write_bytes("# Büro\n".encode("cp1252"))
    ran = office.newsletter("doctor", "--resolver", zone.place)
    assert (ran.code, ".env:1:1: this line is not UTF-8; save the file as UTF-8" in " ".join(ran.err.split())) == (1, True)
    office.settings()
    publication.write_text("name: N\n", encoding="utf-8")
    ran = office.newsletter("doctor", "--resolver", zone.place)
    assert ran.code == 1
    assert "publication.yaml" in ran.err
    assert "ok       the mail server 127.0.0.1" in ran.err


def test_a_wrong_resolver_is_bad_input(office: "Office") -> None:
    ran = office.newsletter("doctor", "--resolver", "dns.example.org")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "'dns.example.org' is no address of a DNS server; write 192.0.2.53 or 192.0.2.53:5353\n"
