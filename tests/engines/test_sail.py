"""The embedded engine: one session, opened when it is needed, and closed."""

import subprocess
import sys
import threading

import pytest

from tauro.engines import engine_for
from tauro.engines.sail import SailEngine


@pytest.fixture
def engine():
    engine = SailEngine("tests", {})
    yield engine
    engine.close()


def test_it_reads_and_writes_what_the_table_of_formats_says():
    files = {"csv", "json", "parquet", "delta", "text"}
    assert SailEngine.capabilities.reads == files | {"avro", "query", "python", "pickle"}
    assert SailEngine.capabilities.writes == files | {"python"}


def test_all_threads_get_the_same_session(engine):
    sessions, together = [], threading.Barrier(4)

    def ask():
        together.wait()
        sessions.append(engine.session())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sessions) == 4
    assert len(set(map(id, sessions))) == 1


def test_what_has_no_session_can_be_interrupted_and_closed(engine):
    engine.interrupt()
    engine.close()
    engine.close()


def test_after_it_was_closed_it_opens_again(engine):
    first = engine.session()
    engine.close()
    second = engine.session()
    assert second is not first
    assert second.range(3).count() == 3


def test_an_interrupt_ends_what_is_computed_and_the_session_goes_on(engine):
    session = engine.session()
    ended = []

    def compute():
        try:
            session.range(10**12).selectExpr("sum(id * id % 7)").collect()
        except Exception as error:  # noqa: BLE001 - that it ends is what counts
            ended.append(error)

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    for _ in range(100):  # the work has no sign that it began
        engine.interrupt()
        thread.join(0.1)
        if not thread.is_alive():
            break
    assert len(ended) == 1
    assert session.range(3).count() == 3


def test_times_are_utc_wherever_the_machine_stands(engine):
    assert engine.session().conf.get("spark.sql.session.timeZone") == "UTC"


def test_settings_of_the_project_win_and_are_handed_over_as_spark_writes_them():
    config = {"spark.sql.session.timeZone": "Europe/Berlin", "spark.sql.ansi.enabled": True, "x.number": 3}
    engine = engine_for("local", app_name="tests", spark_config=config)
    try:
        conf = engine.session().conf
        assert conf.get("spark.sql.session.timeZone") == "Europe/Berlin"
        assert conf.get("spark.sql.ansi.enabled") == "true"
        assert conf.get("x.number") == "3"
    finally:
        engine.close()


def test_two_engines_do_not_share_a_session():
    engines = [SailEngine("one", {}), SailEngine("two", {})]
    try:
        for number, engine in enumerate(engines):
            engine.session().range(number + 1).createOrReplaceTempView("numbers")
        assert [engine.session().table("numbers").count() for engine in engines] == [1, 2]
    finally:
        for engine in engines:
            engine.close()


def test_ctrl_c_is_the_programs_own_and_the_server_goes_on():
    program = """
import os, signal, threading
from tauro.engines.sail import SailEngine
engine = SailEngine("tests", {})
opener = threading.Thread(target=engine.session)  # as the first node does
opener.start()
opener.join()
try:
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait(5)
except KeyboardInterrupt:
    threading.Event().wait(0.5)  # the server would need less to end
    print(engine.session().range(3).count())
engine.close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("3\n", 0), done.stderr


def test_a_session_whose_server_has_ended_is_given_up_at_once_and_another_one_is_opened(engine):
    lost = engine.session()
    engine.revive()
    assert engine.session() is lost
    engine._server.stop()
    engine.revive()
    assert engine.session() is not lost
    assert engine.session().range(3).count() == 3
