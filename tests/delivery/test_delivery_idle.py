"""Who goes when something becomes due: one for each delivery, the freshest first."""

import asyncio

from newsletter.delivery.idle import Idle


class Room:
    """Connections that look for so many deliveries, and write down who went."""

    def __init__(self) -> None:
        self.idle = Idle()
        self.due = 0
        self.went: list[str] = []

    async def enter(self, name: str, *, gives_up: bool = False) -> None:
        place = self.idle.place()
        while self.due <= self.idle.coming:
            await self.idle.rest(place)
        with self.idle.on_the_way() as arrived:
            self.went.append(name)
            await asyncio.sleep(0)
            if not gives_up:
                arrived()
                self.due -= 1

    async def offer(self, count: int) -> list[str]:
        self.due, self.went = self.due + count, []
        self.idle.wake()
        for _ in range(20):
            await asyncio.sleep(0)
        return self.went


def test_the_freshest_goes_and_one_for_each_delivery() -> None:
    async def test() -> None:
        room = Room()
        async with asyncio.TaskGroup() as group:
            for name in "abcde":
                group.create_task(room.enter(name))
            assert await room.offer(0) == []
            assert await room.offer(1) == ["e"]
            assert await room.offer(2) == ["d", "c"]
            group.create_task(room.enter("f"))
            await asyncio.sleep(0)
            assert await room.offer(3) == ["f", "b", "a"]
        assert (room.due, room.idle.coming) == (0, 0)

    asyncio.run(test())


def test_what_one_leaves_that_gives_up_another_one_takes() -> None:
    async def test() -> None:
        room = Room()
        async with asyncio.TaskGroup() as group:
            group.create_task(room.enter("a"))
            group.create_task(room.enter("b", gives_up=True))
            await asyncio.sleep(0)
            assert await room.offer(1) == ["b", "a"]
        assert (room.due, room.idle.coming) == (0, 0)

    asyncio.run(test())


def test_one_that_is_told_to_end_while_it_rests_holds_nobody_up() -> None:
    async def test() -> None:
        room = Room()
        resting, ended = asyncio.create_task(room.enter("a")), asyncio.create_task(room.enter("b"))
        await asyncio.sleep(0)
        ended.cancel()
        await asyncio.gather(ended, return_exceptions=True)
        assert await room.offer(1) == ["a"]
        await resting

    asyncio.run(test())
