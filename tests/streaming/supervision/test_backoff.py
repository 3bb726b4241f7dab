"""How long a worker waits before it is started again, and when that is given up."""

from hypothesis import given
from hypothesis import strategies as st

from tauro.streaming.backoff import Backoff
from tauro.streaming.site import Timing

TIMING = Timing()


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_the_delay_doubles_up_to_a_minute():
    backoff = Backoff(20, TIMING, Clock())
    assert [backoff.next(0.0) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_after_a_steady_time_the_delay_begins_anew():
    backoff = Backoff(20, TIMING, Clock())
    assert [backoff.next(seconds) for seconds in (0, 59.9, 60, 0)] == [1, 2, 1, 2]


def test_it_is_given_up_after_so_many_restarts_within_the_window_and_not_over_longer_times():
    clock = Clock()
    backoff = Backoff(3, TIMING, clock)
    assert [backoff.next(0.0) for _ in range(4)] == [1, 2, 4, None]
    clock.now = TIMING.window
    assert backoff.next(TIMING.steady) == 1


@given(
    limit=st.integers(0, 5),
    steps=st.lists(st.tuples(st.floats(0, 1_000), st.floats(0, 1_000)), max_size=60),
)
def test_within_no_window_are_there_more_restarts_than_allowed(limit, steps):
    clock, restarts = Clock(), []
    backoff = Backoff(limit, TIMING, clock)
    for pause, active in steps:
        clock.now += pause + active
        delay = backoff.next(active)
        if delay is not None:
            assert TIMING.first_delay <= delay <= TIMING.longest_delay
            restarts.append(clock.now)
        else:
            assert sum(clock.now - TIMING.window < at for at in restarts) == limit
        assert sum(clock.now - TIMING.window < at for at in restarts) <= limit
