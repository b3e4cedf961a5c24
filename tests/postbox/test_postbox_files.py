"""Mailboxes on disk: what is unread is given, what is done is marked, and nothing else is touched (N10)."""

import mailbox
import os
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.postbox import PostboxError, open_box
from newsletter.postbox.box import LARGEST
from newsletter.problem import InputError
from newsletter.settings import Settings

SETTINGS = Settings()


def mail(number: int, body: str = "Hallo\n") -> bytes:
    return f"From: a@example.org\nSubject: {number}\n\n{body}".encode()


def names(source: Path) -> list[bytes]:
    with open_box(str(source), SETTINGS) as box:
        return [one.data.split(b"Subject: ")[1].split(b"\n")[0] for one in box]


def do(source: Path, *subjects: bytes) -> None:
    """Mark the mails of these subjects as read."""
    with open_box(str(source), SETTINGS) as box:
        for one in box:
            if one.data.split(b"Subject: ")[1].split(b"\n")[0] in subjects:
                box.done(one)


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    for number in (1, 2):
        (tmp_path / "Maildir" / "new" / f"170000000{number}.M1.host").write_bytes(mail(number))
    (tmp_path / "Maildir" / "cur" / "1700000003.M1.host:2,F").write_bytes(mail(3))
    (tmp_path / "Maildir" / "cur" / "1700000004.M1.host:2,RS").write_bytes(mail(4))
    (tmp_path / "Maildir" / "tmp" / "1700000005.M1.host").write_bytes(mail(5))
    (tmp_path / "Maildir" / "new" / ".hidden").write_bytes(mail(6))
    return tmp_path / "Maildir"


def test_a_maildir_gives_what_is_unread_in_the_order_of_delivery(maildir: Path) -> None:
    assert names(maildir) == [b"1", b"2", b"3"]


def test_what_is_done_lies_in_cur_and_is_seen(maildir: Path) -> None:
    do(maildir, b"1", b"3")
    assert names(maildir) == [b"2"]
    assert {file.name for file in (maildir / "cur").iterdir()} == {
        "1700000001.M1.host:2,S",
        "1700000003.M1.host:2,FS",
        "1700000004.M1.host:2,RS",
    }
    read = mailbox.Maildir(maildir, create=False)
    assert sorted("S" in one.get_flags() for one in read) == [False, False, True, True, True]  # it takes .hidden for a mail


def test_a_mail_that_another_program_moved_meanwhile_does_no_harm(maildir: Path) -> None:
    with open_box(str(maildir), SETTINGS) as box:
        for one in box:
            if b"Subject: 1" in one.data:
                (maildir / "new" / "1700000002.M1.host").unlink()
                (maildir / "new" / "1700000001.M1.host").rename(maildir / "cur" / "1700000001.M1.host:2,")
                box.done(one)
    assert names(maildir) == [b"1", b"3"]


@pytest.fixture
def mbox(tmp_path: Path) -> Path:
    file = tmp_path / "leave"
    rows = [mail(1), mail(2, "Hallo\n\n>From der Küste\n"), mail(3).replace(b"\n\n", b"\nStatus: O\n\n", 1)]
    rows.append(mail(4).replace(b"\n\n", b"\nStatus: RO\n\n", 1))
    file.write_bytes(b"".join(b"From a@example.org Mon Nov 30 08:00:00 2026\n" + row + b"\n" for row in rows))
    return file


def test_an_mbox_gives_what_is_unread(mbox: Path) -> None:
    before = mbox.read_bytes()
    assert names(mbox) == [b"1", b"2", b"3"]
    assert mbox.read_bytes() == before
    assert not mbox.with_name("leave.lock").exists()


def test_what_is_done_has_its_status_and_nothing_else_is_changed(mbox: Path) -> None:
    before = mbox.read_bytes()
    do(mbox, b"2", b"3")
    assert names(mbox) == [b"1"]
    after = mbox.read_bytes()
    assert after.replace(b"Status: RO\n", b"").replace(b"Status: O\n", b"") == before.replace(b"Status: RO\n", b"").replace(
        b"Status: O\n", b""
    )
    assert after.count(b"Status: RO\n") == 3
    assert [one["Status"] for one in mailbox.mbox(mbox, create=False)] == [None, "RO", "RO", "RO"]


def test_an_mbox_that_is_locked_is_left_alone(mbox: Path) -> None:
    mbox.with_name("leave.lock").touch()
    with pytest.raises(PostboxError, match="is locked by another program"), open_box(str(mbox), SETTINGS):
        pytest.fail("it was opened")


def test_nothing_is_marked_where_the_program_dies(mbox: Path) -> None:
    """Killed in the middle: the file is as it was, and so is every mail in it."""
    before = mbox.read_bytes()
    program = (
        "import os, sys; from newsletter.postbox import open_box; from newsletter.settings import Settings\n"
        "with open_box(sys.argv[1], Settings()) as box:\n"
        "    for one in box: box.done(one)\n"
        "    os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(mbox)], check=False).returncode == 9
    assert mbox.read_bytes() == before


def test_files_and_a_folder_of_them(tmp_path: Path) -> None:
    for number in (2, 1):
        (tmp_path / f"{number}.EML").write_bytes(mail(number))
    (tmp_path / "readme.txt").write_text("no mail")
    assert names(tmp_path) == [b"1", b"2"]
    assert names(tmp_path / "2.EML") == [b"2"]
    do(tmp_path, b"1")
    assert names(tmp_path) == [b"1", b"2"]


def test_an_empty_mailbox_has_no_mail(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    for name in ("empty", "folder"):
        assert names(tmp_path / name) == []


def test_what_is_no_mailbox_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "readme.txt").write_text("no mail")
    for path, words in ((tmp_path / "gone", "is not there"), (tmp_path / "folder", "is no Maildir")):
        with pytest.raises(InputError, match=words), open_box(str(path), SETTINGS):
            pytest.fail("it was opened")


def test_a_mail_is_never_read_beyond_the_largest(maildir: Path, mbox: Path) -> None:
    huge = b"Subject: huge\n\n" + b"x" * LARGEST
    (maildir / "new" / "1700000009.M1.host").write_bytes(huge)
    mbox.write_bytes(mbox.read_bytes() + b"From a@example.org Mon Nov 30 08:00:00 2026\n" + huge + b"\n\n")
    for source in (maildir, mbox):
        with open_box(str(source), SETTINGS) as box:
            assert max(len(one.data) for one in box) == LARGEST + 1


def test_a_pipe_in_a_maildir_is_not_waited_for(maildir: Path) -> None:
    os.mkfifo(maildir / "new" / "1600000000.pipe")
    assert names(maildir) == [b"1", b"2", b"3"]
