"""Whatever a node does to its process, it is the run that fails, and nothing else."""

import os
import signal
import time
from pathlib import Path
from threading import Thread

import pytest

from tauro.orchestrate.site import Timing
from tauro.processes.marks import mark_of, marked
from tauro.processes.stop import Stop

ENDS = {
    "sys.exit": ("import sys; sys.exit(3)", "Node 'bad' failed: The node called sys.exit(3)"),
    "os._exit": (
        "import os; os._exit(0)",
        "Its process left with exit code 0 before the run was over, while 'bad' ran",
    ),
    "segmentation fault": ("import ctypes; ctypes.string_at(0)", "Its process was ended by SIGSEGV, while 'bad' ran"),
    "abort": ("import os; os.abort()", "Its process was ended by SIGABRT, while 'bad' ran"),
    "kill -9": (
        "import os; os.kill(os.getpid(), 9)",
        "Its process was ended by SIGKILL: from outside, or for want of memory, while 'bad' ran",
    ),
    "a killed group": (
        "import os; os.killpg(0, 9)",
        "Its process was ended by SIGKILL: from outside, or for want of memory, while 'bad' ran",
    ),
    "no memory": (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)); bytearray(1 << 32)",
        "Node 'bad' failed: MemoryError",
    ),
    "recursion": ("f = lambda: f(); f()", "Node 'bad' failed: RecursionError"),
    # 1 or 120, by whether it is met before Python ends or while it does.
    "closed files": ("import os; os.closerange(0, 200)", "Its process left with exit code 1"),
}
# It does not give the interpreter back before it is done.
HANGS = "import ctypes; ctypes.PyDLL(None).sleep(600)"


def node(body):
    return (
        f"from telling import tell, told\n\ndef good():\n    tell('good')\n\ndef bad():\n    tell('bad')\n    {body}\n"
    )


NODES = {"good": {}, "bad": {"dependencies": "good"}}


@pytest.mark.parametrize("kind", ENDS)
def test_a_node_that_ends_its_process_fails_its_run(runs, kind):
    body, error = ENDS[kind]
    project = runs(node(body), NODES)
    run = project.execute()
    assert run.state == "failed"
    assert run.error.startswith(error)
    assert project.states(run.id) == {"good": "completed", "bad": "failed"}
    assert project.control.store.check() == []
    assert marked(mark_of(run.id, 1)) == []


def test_the_log_of_a_crash_says_where_it_was(runs):
    project = runs(node(ENDS["segmentation fault"][0]), NODES)
    run = project.execute()
    text = "\n".join(project.control.logs(run.id))
    assert "Segmentation fault" in text
    assert "nodes.py" in text


@pytest.mark.parametrize("body", [HANGS, "while True: pass", "import time; time.sleep(600)"])
def test_the_time_limit_of_a_run_holds_whatever_its_node_does(runs, body):
    project = runs(node(body), NODES, global_settings={"execution_timeout_seconds": 1})
    begun = time.monotonic()
    run = project.execute()
    assert time.monotonic() - begun < 10
    assert run.state == "failed"
    assert "not done within 1 s (run's timeout)" in run.error
    assert project.states(run.id)["bad"] == "failed"
    assert marked(mark_of(run.id, 1)) == []


def test_a_run_that_computes_on_the_embedded_engine_is_cancelled_and_killed_as_any_other(runs):
    code = """
        from telling import tell

        def computes(spark):
            frame = spark.range(10**12).selectExpr("sum(id * id % 7) AS s")
            frame.schema
            tell("computes")
            return frame.collect()
    """
    project = runs(code, {"computes": {}})
    for number in (1, 2):
        run_id = project.create()
        owner = project.control.start_detached(run_id).run.owner
        project.until(lambda number=number: project.told() == ["computes"] * number, 60)
        if number == 1:
            assert project.control.cancel(run_id, wait=20).state == "cancelled"
        else:
            os.kill(owner.pid, signal.SIGKILL)
            project.until(lambda run_id=run_id: project.control.status(run_id).state == "failed", 5)
        assert marked(mark_of(run_id, 1)) == []


@pytest.mark.parametrize(
    "body", [HANGS, "while True: pass", "import time; time.sleep(600)"], ids=["in C", "loops", "sleeps"]
)
def test_a_cancelled_run_ends_within_the_grace_whatever_its_node_does(runs, body):
    project = runs(node(body), NODES)
    run_id = project.create()
    project.control.start_detached(run_id)
    project.wait_for("bad")
    begun = time.monotonic()
    run = project.control.cancel(run_id, wait=10)
    assert time.monotonic() - begun < 6
    assert run.state == "cancelled"
    assert project.states(run_id) == {"good": "completed", "bad": "cancelled"}
    assert marked(mark_of(run_id, 1)) == []


def test_what_a_node_starts_ends_with_the_run_even_in_a_session_of_its_own(runs):
    body = """
    import os, subprocess, time
    tell(subprocess.Popen(["sleep", "600"], start_new_session=True).pid)
    forked = os.fork()
    if not forked:
        os.setsid()
        time.sleep(600)
    tell(forked)
"""
    project = runs(node(body), NODES)
    run = project.execute()
    assert run.state == "completed"
    assert marked(mark_of(run.id, 1)) == []
    assert len(project.told()) == 4
    assert not any(map(_runs, project.told()[2:]))


def _runs(pid):
    """Say whether a process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_run_beside_one_that_crashes_is_not_disturbed(runs):
    code = node("import os; os.killpg(0, 9)") + "\ndef calm():\n    import time\n    time.sleep(1)\n"
    pipelines = {"p": {"nodes": ["good", "bad"]}, "calm": {"nodes": ["calm"]}}
    project = runs(code, {**NODES, "calm": {}}, pipelines=pipelines)
    calm = project.create("calm")
    project.control.start_detached(calm)
    assert project.execute().state == "failed"
    assert project.control.wait(calm, 10).state == "completed"


def test_a_crash_is_tried_again_and_what_was_completed_is_not_done_again(runs):
    body = "import os; told().count('bad') > 2 or os.kill(os.getpid(), 9)"
    project = runs(node(body), NODES)
    run = project.execute(retries=3)
    assert (run.state, run.attempt) == ("completed", 3)
    assert project.told() == ["good", "bad", "bad", "bad"]
    assert {task.node: task.attempts for task in project.control.tasks(run.id)} == {"good": 1, "bad": 3}
    assert project.control.store.check() == []


def test_a_crash_in_every_attempt_fails_the_run_when_none_is_left(runs):
    project = runs(node("import os; os.kill(os.getpid(), 9)"), NODES)
    run = project.execute(retries=1)
    assert (run.state, run.attempt) == ("failed", 2)
    assert "SIGKILL" in run.error
    assert project.told() == ["good", "bad", "bad"]


def test_an_error_that_may_pass_is_tried_again(runs):
    body = "if told().count('bad') < 2: raise ConnectionError('not yet')"
    project = runs(node(body), NODES)
    run = project.execute(retries=1)
    assert (run.state, run.attempt) == ("completed", 2)
    assert project.told() == ["good", "bad", "bad"]


def test_a_run_that_waits_for_its_next_attempt_can_be_cancelled(runs):
    timing = Timing(look=0.1, retry_delay=60.0)
    project = runs(node("import os; os.kill(os.getpid(), 9)"), NODES, timing=timing)
    run_id = project.create(retries=1)
    project.control.start_detached(run_id)
    project.wait_for("bad")
    project.until(lambda: project.control.status(run_id).state == "pending")
    assert project.control.cancel(run_id).state == "cancelled"
    assert project.told() == ["good", "bad"]


def test_ctrl_c_cancels_a_run_in_the_foreground(runs):
    project = runs(node("import time; time.sleep(600)"), NODES)
    run_id = project.create()

    def interrupt():
        project.wait_for("bad")
        os.kill(os.getpid(), signal.SIGINT)

    thread = Thread(target=interrupt)
    thread.start()
    run = project.control.start(run_id).run
    thread.join()
    assert run.state == "cancelled"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_can_hand_a_run_back_and_it_goes_on_later(runs):
    project = runs(node("if told().count('bad') == 1: time.sleep(600)"), NODES)
    run_id = project.create()
    ended = []

    def execute(stop):
        with project.other() as other:
            ended.append(other.start(run_id, stop=stop).run)

    stop = Stop()
    thread = Thread(target=execute, args=(stop,))
    thread.start()
    project.wait_for("bad")
    stop.ask("handed back")
    thread.join(20)
    assert [(run.state, run.attempt) for run in ended] == [("pending", 1)]
    assert project.control.start(run_id).run.state == "completed"
    assert project.told() == ["good", "bad", "bad"]
