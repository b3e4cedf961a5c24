"""The ``.env`` and the workspace: what wins, what is refused, and that no secret is told."""

import os
from pathlib import Path

import pytest

from newsletter.problem import InputError
from newsletter.settings import Settings, Workspace, is_loopback, program_folder, read_settings, secret_files

SECRET = "only-for-this-test-0123456789abcdef"


def read(folder: Path, text: str, **environment: str) -> Settings:
    (folder / ".env").write_text(text, encoding="utf-8")
    return read_settings(folder / ".env", environment)


def complaints(folder: Path, text: str, **environment: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, text, **environment)
    return [f"{problem.where}: {problem.message}" for problem in caught.value.problems]


def test_nothing_set_up_gives_the_defaults(tmp_path: Path) -> None:
    settings = read_settings(tmp_path / ".env", {})
    assert (settings.smtp_host, settings.smtp_security, settings.smtp_connections) == (None, "starttls", 10)
    assert settings.database_url == "sqlite:///newsletter.db"


def test_the_file_is_read_and_other_names_are_let_be(tmp_path: Path) -> None:
    settings = read(tmp_path, 'NEWSLETTER_SMTP_HOST="mail.example.org"\nOTHER=x\nNEWSLETTER_SMTP_PORT=2525\n# NEWSLETTER_X=1\n')
    assert (settings.smtp_host, settings.port) == ("mail.example.org", 2525)


def test_a_dollar_in_a_password_stays(tmp_path: Path) -> None:
    password = read(tmp_path, "NEWSLETTER_SMTP_PASSWORD=a${HOME}b$c").smtp_password
    assert password is not None
    assert password.get_secret_value() == "a${HOME}b$c"


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_follows_the_security(tmp_path: Path, security: str, port: int) -> None:
    assert read(tmp_path, f"NEWSLETTER_SMTP_SECURITY={security}\nNEWSLETTER_SMTP_HOST=127.0.0.1").port == port


def test_the_environment_wins(tmp_path: Path) -> None:
    settings = read(tmp_path, "NEWSLETTER_SMTP_HOST=file.example", NEWSLETTER_SMTP_HOST="env.example")
    assert settings.smtp_host == "env.example"


def test_an_empty_value_in_the_environment_takes_the_files_away(tmp_path: Path) -> None:
    assert read(tmp_path, "NEWSLETTER_SMTP_USERNAME=anna", NEWSLETTER_SMTP_USERNAME="").smtp_username is None


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET + "\n")
    key = read(tmp_path, "NEWSLETTER_SECRET_KEY_FILE=key").secret_key
    assert key is not None
    assert key.get_secret_value() == SECRET


@pytest.mark.parametrize(
    "text", ["NEWSLETTER_SECRET_KEY={0}\nNEWSLETTER_SECRET_KEY_FILE=none", "NEWSLETTER_SECRET_KEY_FILE=none"]
)
def test_the_environment_wins_over_a_secrets_file_too(tmp_path: Path, text: str) -> None:
    key = read(tmp_path, text.format("x" * 32), NEWSLETTER_SECRET_KEY=SECRET).secret_key
    assert key is not None
    assert key.get_secret_value() == SECRET


def test_a_secrets_file_that_is_missing_is_named(tmp_path: Path) -> None:
    (line,) = complaints(tmp_path, "NEWSLETTER_SMTP_PASSWORD_FILE=gone.txt")
    assert line.startswith("NEWSLETTER_SMTP_PASSWORD_FILE: cannot read")
    assert "gone.txt" in line


def test_each_wrong_setting_is_named(tmp_path: Path) -> None:
    lines = complaints(
        tmp_path, "NEWSLETTER_SMTP_PORT=many\nNEWSLETTER_SMTP_SECURITY=ssl\nNEWSLETTER_SMTP_HSOT=x\nNEWSLETTER_QQQQ=1"
    )
    assert [line.split(":")[0] for line in lines] == [
        "NEWSLETTER_QQQQ",
        "NEWSLETTER_SMTP_HSOT",
        "NEWSLETTER_SMTP_PORT",
        "NEWSLETTER_SMTP_SECURITY",
    ]
    assert "did you mean NEWSLETTER_SMTP_HOST?" in lines[1]
    assert ".env.example" in lines[0]
    assert lines[2:] == [
        "NEWSLETTER_SMTP_PORT: must be a valid integer",
        "NEWSLETTER_SMTP_SECURITY: must be 'starttls', 'tls' or 'none'",
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# Büro\nNEWSLETTER_SMTP_HOST=x\n".encode("cp1252"), [1]),
        (b"A=1\n\n\nNEWSLETTER_SMTP_HOST mail.example.org\nNEWSLETTER_SMTP_PORT: 25\n", [4, 5]),
        (b'A=1\nNEWSLETTER_SMTP_PASSWORD="hidden-word\n', [2]),
    ],
    ids=["Windows-1252", "no =", "open quote"],
)
def test_a_line_that_says_nothing_is_told_and_not_shown(tmp_path: Path, text: bytes, lines: list[int]) -> None:
    (tmp_path / ".env").write_bytes(text)
    with pytest.raises(InputError) as caught:
        read_settings(tmp_path / ".env", {})
    assert [problem.line for problem in caught.value.problems] == lines
    assert "hidden-word" not in str(caught.value)


def test_the_mark_that_windows_puts_before_a_text_is_no_part_of_it(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeffNEWSLETTER_SMTP_HOST=mail.example.org").smtp_host == "mail.example.org"


def test_a_short_key_is_refused_and_not_told(tmp_path: Path) -> None:
    (line,) = complaints(tmp_path, "NEWSLETTER_SECRET_KEY=tooshortbutsecret")
    assert line.startswith("NEWSLETTER_SECRET_KEY: is too short")
    assert "tooshortbutsecret" not in line


def test_secrets_are_not_in_what_is_printed(tmp_path: Path) -> None:
    settings = read(tmp_path, f"NEWSLETTER_SECRET_KEY={SECRET}\nNEWSLETTER_SMTP_PASSWORD=hidden-word")
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()
    assert "hidden-word" not in repr(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example.org",
        "https://news.example.org/letters/",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "http://localhost",
    ],
)
def test_a_public_url_loses_its_last_slash_only(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, f"NEWSLETTER_PUBLIC_URL={url}").public_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://news.example.org",
        "http://127.example.org",
        "ftp://news.example.org",
        "news.example.org",
        "https://",
        "https://news.example.org?x=1",
        "https://news.example.org#top",
        "https://anna:word@news.example.org",
        "https://:word@news.example.org",
        "https://news.example.org:port",
        "https://[news.example.org",
        "https://news.example.org/a b",
        "https://bücher.example.org",
        "https://news.example.org/>x",
        '"https://news.example.org/\\nBcc: all@example.org"',
    ],
)
def test_a_public_url_that_could_not_stand_in_a_mail_is_refused(tmp_path: Path, url: str) -> None:
    (line,) = complaints(tmp_path, f"NEWSLETTER_PUBLIC_URL={url}")
    assert line.startswith("NEWSLETTER_PUBLIC_URL: ")
    assert "word" not in line


@pytest.mark.parametrize("host", ["mail.example.org", "127.example.org", "10.0.0.1"])
def test_an_open_wire_is_for_this_machine_only(tmp_path: Path, host: str) -> None:
    (line,) = complaints(tmp_path, f"NEWSLETTER_SMTP_HOST={host}\nNEWSLETTER_SMTP_SECURITY=none")
    assert "SMTP_SECURITY=none is only for a server on this machine" in line


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LocalHost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("[::1]", True),
        ("127.evil.example", False),
        ("127.0.0.1.example", False),
        ("localhost.example", False),
        ("192.168.0.1", False),
        ("::2", False),
        ("", False),
        (None, False),
    ],
)
def test_loopback(host: str | None, expected: bool) -> None:
    assert is_loopback(host) is expected


def issue(root: Path, slug: str) -> Path:
    file = root / "issues" / slug / "issue.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("title: x\n")
    return file


def test_an_issue_is_found_by_slug_and_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = issue(tmp_path, "2024-12")
    workspace = Workspace(tmp_path)
    for name in ("2024-12", str(file), str(file.parent), "issues/2024-12", "issues/2024-12/issue.yaml"):
        assert workspace.issue_file(name) == file
    monkeypatch.chdir(file.parent)
    assert workspace.issue_file("issue.yaml").resolve() == file


def test_an_issue_that_is_not_there_gets_the_nearest_named(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(InputError, match="newsletter new 2024-11"):
        workspace.issue_file("2024-11")
    issue(tmp_path, "2024-12")
    with pytest.raises(InputError, match="did you mean '2024-12'"):
        workspace.issue_file("2024-11")
    with pytest.raises(InputError, match="there are: 2024-12"):
        workspace.issue_file("spring")


def test_issues_are_listed_by_name(tmp_path: Path) -> None:
    for slug in ("2025-01", "2024-12"):
        issue(tmp_path, slug)
    (tmp_path / "issues" / "pictures").mkdir()
    assert Workspace(tmp_path).issue_slugs() == ["2024-12", "2025-01"]


def test_the_workspaces_own_layout_comes_first(tmp_path: Path) -> None:
    own = tmp_path / "layouts" / "own"
    own.mkdir(parents=True)
    (own / "layout.mjml.j2").write_text("<mjml/>")
    workspace = Workspace(tmp_path)
    assert workspace.layout_folder("own") == own
    assert "own" in workspace.layout_names()
    assert workspace.layout_folder("nowhere") is None
    assert workspace.layout_folder("../layouts/own") is None


def test_a_relative_database_file_belongs_to_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("NEWSLETTER_")]:
        monkeypatch.delenv(name)
    assert Workspace(tmp_path).database_url() == f"sqlite:///{tmp_path.resolve()}/newsletter.db"
    for url in ("sqlite:////var/lib/news.db", "sqlite:///:memory:", "postgresql://news@db/news"):
        monkeypatch.setenv("NEWSLETTER_DATABASE_URL", url)
        assert Workspace(tmp_path).database_url() == url


def test_layouts_that_come_with_the_program_are_found() -> None:
    assert program_folder("layouts").name == "layouts"
    assert program_folder("issues").name in ("issues", "sample")


@pytest.mark.parametrize(("security", "port"), [("tls", 993), ("starttls", 143), ("none", 143)])
def test_the_mailboxs_port_follows_the_security(tmp_path: Path, security: str, port: int) -> None:
    assert read(tmp_path, f"NEWSLETTER_IMAP_SECURITY={security}\nNEWSLETTER_IMAP_HOST=127.0.0.1").own_imap_port == port
    assert read(tmp_path, "NEWSLETTER_IMAP_PORT=1143").own_imap_port == 1143


def test_s12_a_mailbox_elsewhere_is_never_read_in_the_open(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="IMAP_SECURITY=none is only for a server on this machine"):
        read(tmp_path, "NEWSLETTER_IMAP_SECURITY=none\nNEWSLETTER_IMAP_HOST=imap.example.org")


def test_s21_the_mailboxs_password_comes_from_a_file_and_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("not to be seen\n", encoding="utf-8")
    settings = read(tmp_path, "NEWSLETTER_IMAP_PASSWORD_FILE=word")
    assert settings.imap_password is not None
    assert settings.imap_password.get_secret_value() == "not to be seen"
    assert "not to be seen" not in repr(settings)
    assert secret_files(tmp_path / ".env", {}) == [tmp_path / "word"]
