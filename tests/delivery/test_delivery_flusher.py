"""What was written is on disk when the flusher says so, whoever flushed it; what keeps it from there is told."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsletter.delivery import flusher
from newsletter.delivery.flusher import Flusher

Told = list[OSError | None]


@contextmanager
def flushing(file: Path) -> Iterator[Flusher]:
    one = Flusher(file)
    try:
        yield one
    finally:
        one.close()


async def start(one: Flusher) -> int:
    """Have it start its process."""
    for _ in range(flusher._FEW):
        await flushed(one)
    assert one.pid is not None
    return one.pid


async def flushed(one: Flusher) -> OSError | None:
    done = asyncio.get_running_loop().create_future()
    one.flush(done.set_result)
    async with asyncio.timeout(60):
        error: OSError | None = await done
        return error


def run(path: Path, test: Callable[[Flusher], Awaitable[None]]) -> None:
    path.touch()

    async def main() -> None:
        with flushing(path) as one:
            await test(one)

    asyncio.run(main())


def test_a_few_are_flushed_here_and_many_by_a_process_that_ends_with_it(tmp_path: Path) -> None:
    path, pids = tmp_path / "log", []

    async def test(one: Flusher) -> None:
        assert await flushed(one) is None
        assert one.pid is None
        pids.append(await start(one))
        assert await flushed(one) is None

    run(path, test)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_all_that_ask_hear_of_it_in_their_order(tmp_path: Path) -> None:
    async def test(one: Flusher) -> None:
        await start(one)
        heard: list[int] = []
        for number in range(100):
            one.flush(lambda error, number=number: heard.append(number if error is None else -1))  # type: ignore[misc]
        assert heard == []
        await flushed(one)
        assert heard == list(range(100))

    run(tmp_path / "log", test)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_that_are_meant_for_the_program_do_not_end_it(tmp_path: Path, number: signal.Signals) -> None:
    async def test(one: Flusher) -> None:
        pid = await start(one)
        await flushed(one)  # it is up
        os.kill(pid, number)
        assert await flushed(one) is None
        assert one.pid == pid

    run(tmp_path / "log", test)


def test_where_the_process_is_killed_it_is_done_here(tmp_path: Path) -> None:
    async def test(one: Flusher) -> None:
        os.kill(await start(one), signal.SIGKILL)
        for _ in range(3):
            assert await flushed(one) is None
        assert one.pid is None

    run(tmp_path / "log", test)


def test_what_is_under_way_is_done_before_it_closes(tmp_path: Path) -> None:
    heard: Told = []

    async def test(one: Flusher) -> None:
        await start(one)
        one.flush(heard.append)

    run(tmp_path / "log", test)
    assert heard == [None]


def test_what_the_disk_does_not_take_is_told_here_and_by_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe stands for the file that cannot be flushed."""
    os.mkfifo(tmp_path / "log")

    async def test(one: Flusher) -> None:
        assert isinstance(await flushed(one), OSError)
        monkeypatch.setattr(one, "_process", None)
        one._start()
        assert one.pid is not None
        assert isinstance(await flushed(one), OSError)
        assert one.pid is None

    run(tmp_path / "log", test)


@pytest.mark.parametrize("how", ["waiting", "closing"])
def test_what_the_disk_did_not_take_once_is_told_although_the_kernel_forgets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A pipe stands for the file in the process: here, the next flush finds nothing to do and says that all is well."""
    (tmp_path / "log").touch()
    heard: Told = []

    async def test(one: Flusher) -> None:
        read, write = os.pipe()
        file = one._file
        monkeypatch.setattr(one, "_file", write)
        one._start()
        monkeypatch.setattr(one, "_file", file)
        for _ in range(3):  # the others were written before the flush that failed
            one.flush(heard.append)
        if how == "waiting":
            assert isinstance(await flushed(one), OSError)
            assert isinstance(await flushed(one), OSError)
            assert one.pid is None
        os.close(read)
        os.close(write)

    run(tmp_path / "log", test)
    assert [type(error) for error in heard] == [OSError] * 3


def test_where_there_can_be_no_process_it_goes_on_as_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")

    async def test(one: Flusher) -> None:
        for _ in range(3 * flusher._FEW):
            assert await flushed(one) is None
        assert one.pid is None

    run(tmp_path / "log", test)
