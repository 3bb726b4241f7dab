"""Retries, time limits and what a failure does to others: the policies of nodes, and the runner that keeps them."""

import errno
import threading
from time import monotonic, sleep
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tauro.config.model import GlobalSettings, NodeConfig, PipelineConfig
from tauro.exec.events import NodeEnded, NodeRetried, NodeStarted
from tauro.exec.node import NodeReport
from tauro.exec.plan import PlannedNode
from tauro.exec.policy import LONGEST_DELAY, Policy, delay_before, is_transient, policy_of
from tauro.exec.results import Failure
from tauro.exec.runner import Cancellation, Runner

SOON = 10.0


def node(name, upstream="", **policy):
    return PlannedNode(NodeConfig(name=name), tuple(upstream.split()), policy=Policy(**policy))


class Run:
    """Runs nodes that are functions of their attempt, and notes every event."""

    def __init__(self, work=None, **more):
        self.work = work or {}
        self.events = []
        self.interrupted = []
        self.runner = Runner(
            call=self._call,
            describe=lambda error: Failure(type(error).__name__, str(error), "EXECUTION_ERROR"),
            emit=self.events.append,
            interrupt=self.interrupted.append,
            limit=more.pop("limit", 4),
            cancellation=Cancellation(),
            **more,
        )

    def _call(self, attempt):
        self.work.get(attempt.node.name, lambda attempt: None)(attempt)
        return NodeReport(None, None)

    def __call__(self, *nodes):
        self.state, outcomes, self.abandoned = self.runner.run(nodes)
        self.outcomes = {outcome.node: outcome for outcome in outcomes}
        self.states = {name: outcome.state for name, outcome in self.outcomes.items()}
        return self


def failing(times, error):
    """Return work that fails in its first attempts."""

    def work(attempt):
        if attempt.number <= times:
            raise error

    return work


# -- policies -----------------------------------------------------------------------------------


def test_a_node_s_own_settings_win_over_the_pipeline_s_and_these_over_the_project_s():
    project = GlobalSettings(max_retries=1, retry_delay=2.0, node_timeout_seconds=3.0)
    plain, pipeline = PipelineConfig(name="p"), PipelineConfig(name="p", retries=4)
    assert policy_of(project, plain, NodeConfig(name="n")) == Policy(1, 2.0, 3.0)
    assert policy_of(project, pipeline, NodeConfig(name="n")).retries == 4
    own = NodeConfig(name="n", retries=0, retry_delay=0.5, timeout_seconds=6.0, fail_fast=True)
    assert policy_of(project, pipeline, own) == Policy(0, 0.5, 6.0, fail_fast=True)
    assert policy_of(GlobalSettings(), plain, NodeConfig(name="n")) == Policy()


@given(st.integers(1, 10_000), st.floats(0, 1e6), st.floats(0, 1))
def test_delays_double_vary_by_half_and_have_a_bound(retry, base, chance):
    delay = delay_before(retry, base, lambda: chance)
    assert 0 <= delay <= LONGEST_DELAY
    if retry < 30 and base * 2**retry < LONGEST_DELAY:
        assert base * 2 ** (retry - 1) / 2 <= delay <= base * 2 ** (retry - 1)


class Busy(Exception):
    transient = True


class CommitFailedError(Exception):
    """As that of delta-rs is called."""


class SparkRuntimeException(Exception):
    """As errors of the embedded engine are called."""


class Status(Exception):
    def __init__(self, status):
        super().__init__(status)
        self.response = SimpleNamespace(status_code=status)


def caused(by):
    error = RuntimeError("wrapped")
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        ConnectionRefusedError(),
        TimeoutError(),
        OSError(errno.ENETUNREACH, "unreachable"),
        Busy(),
        CommitFailedError(),
        SparkRuntimeException("Failed to commit transaction: 0"),
        Status(503),
        Status(429),
        caused(ConnectionError()),
    ],
    ids=repr,
)
def test_what_may_pass_is_transient(error):
    assert is_transient(error)


class Never(ConnectionError):
    transient = False


@pytest.mark.parametrize(
    "error",
    [ValueError(), FileNotFoundError(errno.ENOENT, "gone"), PermissionError(errno.EACCES, "no"), Status(404), Never(),
     SystemExit(503), MemoryError(), caused(KeyError()), Exception("503"),
     SparkRuntimeException("Division by zero")],
    ids=repr,
)  # fmt: skip
def test_what_will_fail_again_is_not(error):
    assert not is_transient(error)


# -- retries ------------------------------------------------------------------------------------


def test_a_transient_error_is_tried_again_until_it_passes():
    run = Run({"a": failing(2, ConnectionError("broken pipe"))})(node("a", retries=3), node("b", "a"))
    assert run.state == "completed"
    assert (run.outcomes["a"].attempts, run.outcomes["b"].attempts) == (3, 1)
    kinds = [type(event) for event in run.events]
    assert kinds == [NodeStarted, NodeRetried, NodeRetried, NodeEnded, NodeStarted, NodeEnded]
    assert [event.attempt for event in run.events if isinstance(event, NodeRetried)] == [1, 2]
    assert run.events[1].to_dict()["failure"]["message"] == "broken pipe"


def test_retries_have_an_end():
    run = Run({"a": failing(9, ConnectionError("down"))})(node("a", retries=2), node("b", "a"))
    assert run.states == {"a": "failed", "b": "skipped"}
    assert run.outcomes["a"].attempts == 3
    assert run.outcomes["a"].failure.message == "down"


def test_an_error_that_will_not_pass_is_not_tried_again():
    run = Run({"a": failing(1, ValueError("wrong"))})(node("a", retries=5))
    assert (run.states, run.outcomes["a"].attempts) == ({"a": "failed"}, 1)


def test_who_waits_for_a_retry_holds_no_slot():
    """With one slot, b has its turn between a's attempts."""
    run = Run({"a": failing(1, TimeoutError())}, limit=1)(node("a", retries=1, retry_delay=0.2), node("b"), node("c"))
    assert run.state == "completed"
    ended = [event.outcome.node for event in run.events if isinstance(event, NodeEnded)]
    assert ended == ["b", "c", "a"]


def test_a_retry_waits_for_its_delay():
    times = []

    def work(attempt):
        times.append(monotonic())
        failing(1, TimeoutError())(attempt)

    run = Run({"a": work})(node("a", retries=1, retry_delay=0.3))
    assert run.state == "completed"
    assert times[1] - times[0] >= 0.15


# -- time limits --------------------------------------------------------------------------------


def test_a_node_that_takes_too_long_fails_alone_and_its_work_is_interrupted_by_its_tag():
    never, tags = threading.Event(), []

    def slow(attempt):
        tags.append(attempt.tag)
        never.wait(SOON)

    run = Run({"slow": slow})(node("slow", timeout=0.2), node("after", "slow"), node("other"))
    assert run.states == {"slow": "failed", "after": "skipped", "other": "completed"}
    assert "not done within 0.2 s (node's timeout_seconds)" in run.outcomes["slow"].failure.message
    assert run.abandoned
    for _ in range(100):
        if run.interrupted:
            break
        sleep(0.01)
    assert run.interrupted == tags
    never.set()


def test_what_a_late_node_makes_is_not_wanted_and_its_slot_is_free():
    go, seen = threading.Event(), []

    def slow(attempt):
        go.wait(SOON)
        seen.append(attempt.abandoned)

    run = Run({"slow": slow, "b": lambda attempt: go.set()}, limit=1)(node("slow", timeout=0.1), node("b"), node("c"))
    assert run.states == {"slow": "failed", "b": "completed", "c": "completed"}
    for _ in range(200):
        if seen:
            break
        sleep(0.01)
    assert seen == [True]


def test_a_run_that_takes_too_long_fails_and_says_so():
    never = threading.Event()
    run = Run({"a": lambda attempt: never.wait(SOON)}, timeout=0.2, limit=1)(node("a"), node("b"), node("c", "a"))
    assert run.state == "failed"
    assert run.states == {"a": "failed", "b": "skipped", "c": "skipped"}
    assert "not done within 0.2 s (run's timeout)" in run.outcomes["a"].failure.message
    never.set()


def test_a_run_whose_time_is_over_does_not_wait_for_retries():
    started = monotonic()
    run = Run({"a": failing(9, TimeoutError())}, timeout=0.3)(node("a", retries=9, retry_delay=60.0), node("b", "a"))
    assert monotonic() - started < SOON / 2
    assert run.states == {"a": "failed", "b": "skipped"}
    assert run.state == "failed"


def test_nobody_who_keeps_to_the_time_is_disturbed():
    run = Run({"a": lambda attempt: sleep(0.05)}, timeout=SOON)(node("a", timeout=SOON), node("b", "a"))
    assert (run.state, run.interrupted, run.abandoned) == ("completed", [], False)


# -- who else is affected -----------------------------------------------------------------------


def test_a_node_that_fails_fast_keeps_the_others_from_starting_and_lets_the_running_ones_end():
    b_runs, a_failed = threading.Event(), threading.Event()

    def fails(attempt):
        b_runs.wait(SOON)
        a_failed.set()
        raise ValueError

    def runs(attempt):
        b_runs.set()
        a_failed.wait(SOON)

    run = Run({"a": fails, "b": runs}, limit=2)(node("a", fail_fast=True), node("b"), node("c", "b"), node("d"))
    assert run.states == {"a": "failed", "b": "completed", "c": "skipped", "d": "skipped"}
    assert {run.outcomes[name].because_of for name in "cd"} == {"a"}


def test_without_fail_on_error_a_run_is_completed_though_a_node_failed():
    run = Run({"a": failing(1, ValueError("x"))}, fail_on_error=False)(node("a"), node("b", "a"), node("c"))
    assert run.state == "completed"
    assert run.states == {"a": "failed", "b": "skipped", "c": "completed"}


# -- the critical path --------------------------------------------------------------------------


def test_of_the_ready_nodes_the_one_with_the_longest_way_is_next():
    order = []
    work = {name: lambda attempt: order.append(attempt.node.name) for name in "abcdef"}
    Run(work, limit=1)(node("a"), node("b"), node("c"), node("d", "c"), node("e", "d"), node("f", "b"))
    assert order == ["c", "b", "d", "a", "e", "f"]


@st.composite
def graphs(draw):
    size = draw(st.integers(1, 500))
    upstream = {}
    for number in range(size):
        sources = draw(st.lists(st.integers(0, max(number - 1, 0)), max_size=3)) if number else []
        upstream[f"n{number}"] = " ".join(dict.fromkeys(f"n{source}" for source in sources))
    return upstream


@given(graphs(), st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_in_any_graph_no_free_slot_is_kept_from_the_critical_path(upstream, limit):
    """Whenever a node starts, no node that was ready then has a longer way behind it."""
    nodes = [node(name, sources) for name, sources in upstream.items()]
    ways = {}
    for each in reversed(nodes):
        ways[each.name] = 1 + max((ways[other.name] for other in nodes if each.name in other.upstream), default=0)
    run = Run(limit=limit)(*nodes)
    waiting, done, started, running = set(upstream), set(), set(), 0
    for event in run.events:
        if isinstance(event, NodeStarted):
            ready = {name for name in waiting if set(upstream[name].split()) <= done}
            assert event.node in ready
            assert ways[event.node] == max(ways[name] for name in ready)
            waiting.discard(event.node)
            started.add(event.node)
            running += 1
            assert running <= limit
        else:
            done.add(event.outcome.node)
            running -= 1
    assert started == done == set(upstream)
