"""The runner: order, the limit, failures, cancellation, events. No engine, no project: nodes are plain functions."""

import os
import signal
import sys
import threading
from collections import Counter
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tauro.config.model import NodeConfig
from tauro.engines.progress import Progress
from tauro.exec.events import NodeEnded, NodeProgressed, NodeStarted, event_from_dict
from tauro.exec.node import NodeReport
from tauro.exec.plan import PlannedNode
from tauro.exec.results import Failure
from tauro.exec.runner import Cancellation, Runner

# How long a test waits for something that must happen at once, before it says that it did not.
SOON = 10.0


def plan(**upstream):
    """Return nodes with what each waits for: ``plan(a="", b="a", c="a b")``."""
    return [PlannedNode(NodeConfig(name=name), tuple(sources.split())) for name, sources in upstream.items()]


class Run:
    """Runs nodes that are functions, and notes every event."""

    def __init__(
        self, work=None, *, limit=4, grace=SOON, interrupt=lambda tag: None, on_event=lambda event: None, **more
    ):
        self.work = work or {}
        self.events = []
        self.threads = set()
        self.calls = Counter()
        self.cancellation = Cancellation()
        self._on_event = on_event
        self.runner = Runner(
            call=self._call,
            describe=lambda error: Failure(type(error).__name__, str(error), "EXECUTION_ERROR"),
            emit=self._emit,
            interrupt=interrupt,
            limit=limit,
            cancellation=self.cancellation,
            grace=grace,
            **more,
        )

    def _call(self, attempt):
        name = attempt.node.name
        self.calls[name] += 1
        report = self.work.get(name, lambda: None)()
        return report if isinstance(report, NodeReport) else NodeReport(None, None)

    def _emit(self, event):
        self.events.append(event)
        self.threads.add(threading.current_thread())
        self._on_event(event)

    def __call__(self, nodes):
        self.state, self.outcomes, self.abandoned = self.runner.run(nodes)
        return self

    @property
    def states(self):
        return {outcome.node: outcome.state for outcome in self.outcomes}

    @property
    def started(self):
        return [event.node for event in self.events if isinstance(event, NodeStarted)]

    @property
    def ended(self):
        return [event.outcome.node for event in self.events if isinstance(event, NodeEnded)]


def wait_for(event):
    """Wait for a threading.Event that must come, else fail in the node."""
    if not event.wait(SOON):
        raise TimeoutError("what the node waited for did not happen")


def fail():
    raise ValueError("broken")


# -- order and limit ----------------------------------------------------------------------------


def test_a_chain_is_run_in_its_order():
    run = Run()(plan(c="b", a="", b="a"))
    assert run.started == run.ended == ["a", "b", "c"]
    assert run.state == "completed"


def test_the_outcomes_are_in_the_order_of_the_plan():
    run = Run()(plan(c="b", a="", b="a"))
    assert [outcome.node for outcome in run.outcomes] == ["c", "a", "b"]


def test_nothing_to_run_is_completed():
    run = Run()([])
    assert (run.state, run.outcomes, run.abandoned, run.events) == ("completed", (), False, [])


def test_independent_nodes_run_at_the_same_time_up_to_the_limit():
    """Both must be there for either to go on."""
    together = threading.Barrier(2)
    run = Run({"a": lambda: together.wait(SOON), "b": lambda: together.wait(SOON)}, limit=2)(plan(a="", b=""))
    assert run.states == {"a": "completed", "b": "completed"}


def test_a_node_starts_the_moment_its_inputs_are_ready_though_others_still_run():
    """In waves, the slow node would hold up its neighbour's follower, for which it waits itself."""
    done = threading.Event()
    run = Run({"slow": lambda: wait_for(done), "after_quick": done.set})(plan(slow="", quick="", after_quick="quick"))
    assert run.states == {"slow": "completed", "quick": "completed", "after_quick": "completed"}
    assert run.ended[-1] == "slow"


def test_a_free_slot_goes_to_the_node_that_became_ready_first():
    run = Run(limit=1)(plan(a="", b="", c="a", d="b"))
    assert run.started == ["a", "b", "c", "d"]


def test_one_slot_runs_one_node_at_a_time():
    running = []

    def work():
        running.append(1)
        assert len(running) == 1
        running.pop()

    run = Run(dict.fromkeys("abcd", work), limit=1)(plan(a="", b="", c="", d=""))
    assert run.state == "completed"


def test_what_a_node_reports_is_in_its_outcome():
    run = Run({"a": lambda: NodeReport(3, 2, ("it is small",))})(plan(a=""))
    (outcome,) = run.outcomes
    assert (outcome.rows_in, outcome.rows_out, outcome.warnings) == (3, 2, ("it is small",))
    assert outcome.seconds >= 0


# -- failures -----------------------------------------------------------------------------------


def test_when_a_node_fails_an_independent_branch_goes_on():
    failed = threading.Event()
    work = {"bad": fail, "good": lambda: wait_for(failed)}
    run = Run(work, on_event=lambda event: isinstance(event, NodeEnded) and failed.set())
    run(plan(bad="", good="", after_good="good"))
    assert run.states == {"bad": "failed", "good": "completed", "after_good": "completed"}
    assert run.state == "failed"


def test_what_waits_for_a_failed_node_is_skipped_and_names_the_cause():
    run = Run({"bad": fail})(plan(bad="", b="bad", c="b", other="", d="c other"))
    assert run.states == {"bad": "failed", "b": "skipped", "c": "skipped", "other": "completed", "d": "skipped"}
    assert {outcome.because_of for outcome in run.outcomes if outcome.state == "skipped"} == {"bad"}
    assert run.calls == {"bad": 1, "other": 1}


def test_a_failed_node_tells_why():
    (outcome,) = Run({"bad": fail})(plan(bad="")).outcomes
    assert (outcome.failure.type, outcome.failure.message) == ("ValueError", "broken")


@pytest.mark.parametrize("code", [0, 3, "bye", None])
def test_sys_exit_in_a_node_fails_the_node_and_leaves_the_run_alone(code):
    run = Run({"a": lambda: sys.exit(code)})(plan(a="", b=""))
    assert run.states == {"a": "failed", "b": "completed"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, MemoryError, type("Own", (BaseException,), {})])
def test_whatever_a_node_raises_is_the_nodes_own_failure(error):
    def raises():
        raise error

    run = Run({"a": raises})(plan(a="", b=""))
    assert run.states == {"a": "failed", "b": "completed"}
    assert run.state == "failed"


# -- cancellation -------------------------------------------------------------------------------


def test_another_thread_can_cancel_a_run():
    """What runs is interrupted, what waits is not started."""
    started, interrupted = threading.Event(), threading.Event()

    def work():
        started.set()
        wait_for(interrupted)
        raise RuntimeError("the engine ended it")

    run = Run({"a": work}, interrupt=lambda tag: interrupted.set())
    canceller = threading.Thread(target=lambda: (wait_for(started), run.cancellation.cancel()))
    canceller.start()
    run(plan(before="", a="before", b="a", c=""))
    canceller.join()
    assert run.states == {"before": "completed", "a": "cancelled", "b": "cancelled", "c": "completed"}
    assert run.state == "cancelled"
    assert not run.abandoned


def test_a_run_that_is_cancelled_before_it_starts_runs_nothing():
    run = Run()
    run.cancellation.cancel()
    run(plan(a="", b="a"))
    assert run.states == {"a": "cancelled", "b": "cancelled"}
    assert run.calls == {}


def test_a_node_that_ends_well_while_the_run_is_cancelled_is_completed():
    """Its data is written: a resumed run need not do it again."""
    run = Run()
    run.work["a"] = run.cancellation.cancel
    run(plan(a="", b="a"))
    assert run.states == {"a": "completed", "b": "cancelled"}


def test_a_run_whose_last_node_ends_well_in_spite_of_the_cancel_is_completed():
    run = Run()
    run.work["a"] = run.cancellation.cancel
    assert run(plan(a="")).state == "completed"


def test_a_node_that_does_not_end_is_given_up_when_the_time_is_over():
    never, started = threading.Event(), threading.Event()
    run = Run({"a": lambda: (started.set(), never.wait())}, grace=0.2)
    threading.Thread(target=lambda: (wait_for(started), run.cancellation.cancel())).start()
    begun = monotonic()
    run(plan(a="", b="a"))
    took = monotonic() - begun
    never.set()
    assert run.states == {"a": "cancelled", "b": "cancelled"}
    assert run.abandoned
    assert 0.2 <= took < 2


def test_an_interrupt_of_the_engine_that_hangs_does_not_hold_up_the_way_out():
    never, started = threading.Event(), threading.Event()
    run = Run({"a": lambda: (started.set(), never.wait())}, grace=0.2, interrupt=lambda tag: never.wait())
    threading.Thread(target=lambda: (wait_for(started), run.cancellation.cancel())).start()
    run(plan(a=""))
    never.set()
    assert run.state == "cancelled"


def test_ctrl_c_cancels_the_run():
    interrupted = threading.Event()

    def work():
        os.kill(os.getpid(), signal.SIGINT)
        wait_for(interrupted)
        raise RuntimeError("the engine ended it")

    run = Run({"a": work}, interrupt=lambda tag: interrupted.set())(plan(a="", b="a"))
    assert run.states == {"a": "cancelled", "b": "cancelled"}
    assert run.state == "cancelled"


def test_ctrl_c_while_a_listener_is_told_cancels_the_run():
    def press(event):
        if isinstance(event, NodeStarted):
            raise KeyboardInterrupt

    run = Run(on_event=press)(plan(a="", b="a"))
    assert run.states == {"a": "cancelled", "b": "cancelled"}


def test_ctrl_c_a_second_time_ends_the_wait():
    never = threading.Event()

    def interrupt(tag):
        os.kill(os.getpid(), signal.SIGINT)

    def work():
        os.kill(os.getpid(), signal.SIGINT)
        never.wait()

    begun = monotonic()
    run = Run({"a": work}, interrupt=interrupt, grace=SOON)(plan(a=""))
    never.set()
    assert run.state == "cancelled"
    assert run.abandoned
    assert monotonic() - begun < SOON / 2


# -- events -------------------------------------------------------------------------------------


def test_events_are_told_in_one_thread_in_one_order():
    """Whoever listens needs no lock: the caller's thread tells, a node's start before its end."""
    run = Run({"bad": fail})(plan(a="", b="a", bad="", lost="bad", c="a", d="b c"))
    assert run.threads == {threading.current_thread()}
    assert sorted(run.ended) == ["a", "b", "bad", "c", "d", "lost"]
    assert sorted(run.started) == ["a", "b", "bad", "c", "d"]
    names = [getattr(event, "node", None) or event.outcome.node for event in run.events]
    for name in run.started:
        assert names.count(name) == 2
    moments = [event.at for event in run.events]
    assert moments == sorted(moments)
    assert all(moment.tzinfo is not None for moment in moments)


# -- any graph ----------------------------------------------------------------------------------


@st.composite
def graphs(draw):
    """Nodes n0, n1, ...: each waits for some of those before it; some fail; their order is shuffled."""
    count = draw(st.integers(0, 9))
    upstream = {
        f"n{number}": " ".join(f"n{source}" for source in range(number) if draw(st.integers(0, 3)) == 0)
        for number in range(count)
    }
    failing = {name for name in upstream if draw(st.integers(0, 5)) == 0}
    order = draw(st.permutations(list(upstream)))
    return {name: upstream[name] for name in order}, failing, draw(st.integers(1, 4))


def lost_for(upstream, failing):
    """Return the nodes behind a failing one: a second way to find them, from below."""
    sources = {name: set(text.split()) for name, text in upstream.items()}

    def above(name):
        return sources[name].union(*(above(source) for source in sources[name]))

    return {name for name in upstream if above(name) & failing}


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_in_any_graph_every_node_has_its_turn_once_and_in_a_legal_order_within_the_limit(drawn):
    upstream, failing, limit = drawn
    lock, running, most = threading.Lock(), [0], [0]

    def work(name):
        def node():
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            with lock:
                running[0] -= 1
            if name in failing:
                raise ValueError(name)

        return node

    run = Run({name: work(name) for name in upstream}, limit=limit)(plan(**upstream))

    lost = lost_for(upstream, failing)
    failed = failing - lost
    wanted = {name: "skipped" if name in lost else "failed" if name in failed else "completed" for name in upstream}
    assert run.states == wanted
    assert run.calls == Counter(set(upstream) - lost)
    assert sorted(run.ended) == sorted(upstream)
    assert most[0] <= limit
    ends = {event.outcome.node: index for index, event in enumerate(run.events) if isinstance(event, NodeEnded)}
    starts = {event.node: index for index, event in enumerate(run.events) if isinstance(event, NodeStarted)}
    assert set(starts) == set(upstream) - lost
    assert len(run.started) == len(starts)
    for name, sources in upstream.items():
        for source in sources.split():
            if name in starts:
                assert ends[source] < starts[name]
    causes = {outcome.node: outcome.because_of for outcome in run.outcomes if outcome.because_of}
    assert set(causes) == lost
    assert set(causes.values()) <= failed
    assert run.state == ("failed" if failed else "completed")


def test_progress_is_told_when_it_has_changed_and_no_more_when_the_node_has_ended():
    done, answers = threading.Event(), iter([None, Progress(2, 0, 8, 1), Progress(2, 0, 8, 1), Progress(2, 1, 8, 5)])

    def progress(tag):
        found = next(answers, None)
        if found is None and tag in seen:
            done.set()
        seen.append(tag)
        return found

    seen = []
    run = Run({"a": lambda: done.wait(SOON)}, progress=progress)
    assert run.runner.run(plan(a=""))[0] == "completed"
    told = [event for event in run.events if isinstance(event, NodeProgressed)]
    assert [(event.node, event.progress) for event in told] == [
        ("a", Progress(2, 0, 8, 1)),
        ("a", Progress(2, 1, 8, 5)),
    ]
    assert all(event_from_dict(event.to_dict()) == event for event in told)
    assert isinstance(run.events[-1], NodeEnded)
