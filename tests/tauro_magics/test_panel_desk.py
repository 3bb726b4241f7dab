"""Work in threads, taken up on a loop."""

import asyncio
import itertools
import threading
from time import monotonic, sleep

from tauro_magics.panels.desk import Desk


def test_what_a_thread_tells_is_taken_up_on_the_loop_in_order():
    async def main():
        seen = []
        desk = Desk(lambda: None)

        def work():
            for number in range(100):
                desk.tell(lambda number=number: seen.append((number, threading.get_ident())))

        desk.start(work, "numbers")
        while desk.is_busy:
            await asyncio.sleep(0.01)
        return seen

    assert asyncio.run(main()) == [(number, threading.get_ident()) for number in range(100)]


def test_however_much_is_told_there_are_four_redraws_a_second_and_one_after_the_last():
    async def main():
        told, drawn = [], []
        desk = Desk(lambda: drawn.append((monotonic(), len(told))))

        def work():
            until = monotonic() + 0.6
            while monotonic() < until:
                desk.tell(lambda: told.append(1))
                sleep(0.001)

        desk.start(work, "much")
        await asyncio.sleep(1.0)
        return told, drawn

    told, drawn = asyncio.run(main())
    pauses = [later[0] - before[0] for before, later in itertools.pairwise(drawn)]
    assert len(drawn) >= 3
    assert min(pauses) >= 0.25
    assert drawn[-1][1] == len(told)


def test_nothing_is_left_when_the_work_is_over():
    async def main():
        desk = Desk(lambda: None)
        desk.start(lambda: None, "short")
        await asyncio.sleep(0.2)
        return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    assert asyncio.run(main()) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "tauro-short"]


def test_where_no_loop_runs_waiting_takes_up_what_is_told():
    seen = []
    desk = Desk(lambda: seen.append("drawn"))
    desk.start(lambda: desk.tell(lambda: seen.append("told")), "one")
    assert desk.wait(5.0)
    assert seen[0] == "told"
    assert seen[-1] == "drawn"


def test_waiting_ends_when_its_time_is_over():
    desk, end = Desk(lambda: None), threading.Event()
    desk.start(lambda: end.wait(5.0), "long")
    begun = monotonic()
    assert not desk.wait(0.1)
    assert monotonic() - begun < 2.0
    end.set()
    assert desk.wait(5.0)


def test_a_click_that_comes_in_another_thread_is_done_on_the_loop():
    async def main():
        desk, done = Desk(lambda: None), []
        threading.Thread(target=lambda: desk.do(lambda: done.append(threading.get_ident()))).start()
        while not done:
            await asyncio.sleep(0.01)
        return done

    assert asyncio.run(main()) == [threading.get_ident()]


def test_what_stumbles_holds_up_nothing_that_is_told_later():
    async def main():
        seen = []
        desk = Desk(lambda: None)
        desk.start(lambda: desk.tell(lambda: seen[0]), "stumbling")
        await asyncio.sleep(0.2)
        desk.start(lambda: desk.tell(lambda: seen.append("told")), "next")
        await asyncio.sleep(0.2)
        return seen

    assert asyncio.run(main()) == ["told"]
