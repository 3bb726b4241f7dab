"""Real kernels: pictures that are drawn anew, interrupts, failing cells, and nothing that is left behind."""

import os
from time import monotonic

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

SLOW = """
import time


def wait():
    time.sleep({seconds})
    return 1


def after(one):
    assert one == 1


def count(spark):
    print("counting")
    return spark.range(3)
"""


class Kernel:
    """A kernel of its own, and what its cells sent back."""

    def __init__(self, folder):
        self.manager, self.client = start_new_kernel(cwd=str(folder), env={**os.environ, "TAURO_ENV": "base"})

    def __call__(self, code, *, meanwhile=None):
        """Execute a cell; ``meanwhile`` is called with each message that it sends."""
        asked = self.client.execute(code, store_history=True)
        messages = []
        while not messages or messages[-1]["content"].get("execution_state") != "idle":
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != asked:
                continue
            messages.append({"type": message["msg_type"], "content": message["content"]})
            if meanwhile is not None:
                meanwhile(messages[-1])
        reply = self.client.get_shell_msg(timeout=60)
        while reply["parent_header"].get("msg_id") != asked:  # a kernel that was slow to start answers twice
            reply = self.client.get_shell_msg(timeout=60)
        return reply["content"], messages

    def value(self, code):
        _, messages = self(code)
        found = [each["content"]["data"]["text/plain"] for each in messages if each["type"] == "execute_result"]
        assert found, messages
        return found[-1]

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("kernel")
    files = {
        "settings.json": '{"env_config": {"base": {}}}',
        "config/base/nodes.json": '{"wait": {"function": "nodes.wait", "output": "one"},'
        ' "after": {"function": "nodes.after", "input": "one"},'
        ' "count": {"function": "nodes.count", "output": "gold.sums.count"}}',
        "config/base/pipelines.json": '{"slow": {"nodes": ["wait", "after"]}, "spark": {"nodes": ["count"]}}',
        "config/base/output.json": '{"gold.sums.count": {"format": "parquet"}}',
        "src/nodes.py": SLOW.format(seconds=30)
        + "\n\ndef count(spark):\n    print('counting')\n    return spark.range(3)\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture(scope="module")
def kernel(folder):
    kernel = Kernel(folder)
    yield kernel
    kernel.close()


def test_loading_takes_at_most_30_ms_and_loads_nothing_heavy(kernel):
    kernel("import sys, time; before = set(sys.modules); started = time.thread_time()")
    kernel("%load_ext tauro_magics\nseconds = time.thread_time() - started; new = set(sys.modules) - before")
    heavy = "('pyspark', 'pysail', 'pandas', 'polars', 'pyarrow', 'numpy', 'ipywidgets', 'click', 'yaml', 'rich')"
    assert kernel(f"assert not new & set({heavy}), new")[0]["status"] == "ok"
    assert float(kernel.value("seconds")) < 0.03


def test_a_run_computes_on_a_session_that_stays_warm(kernel):
    kernel("%load_ext tauro_magics")
    assert "completed" in kernel.value("%tauro run --pipeline spark")
    assert kernel.value("_['gold.sums.count'].count()") == "3"
    kernel("warm = get_ipython().magics_manager.registry['TauroMagics'].session._engine._session")
    _, messages = kernel("%tauro run --pipeline spark")
    said = [message["content"] for message in messages if message["type"] == "stream"]
    assert said == [{"name": "stdout", "text": "counting\n"}]
    kinds = [message["type"] for message in messages]
    assert "display_data" in kinds
    assert "execute_result" in kinds
    same = "get_ipython().magics_manager.registry['TauroMagics'].session._engine._session is warm"
    assert kernel.value(same) == "True"


def test_an_interrupt_cancels_within_5_seconds_and_the_next_run_works(kernel, folder):
    kernel("%load_ext tauro_magics")
    kernel("%tauro run --pipeline spark >> done")
    interrupted = []

    def interrupt(message):
        if message["type"] in ("display_data", "update_display_data") and not interrupted:
            interrupted.append(monotonic())
            kernel.manager.interrupt_kernel()

    reply, messages = kernel("%tauro run --pipeline slow >> slow", meanwhile=interrupt)
    assert monotonic() - interrupted[0] < 5
    assert reply["status"] == "error"
    error = next(message["content"] for message in messages if message["type"] == "error")
    assert len(error["traceback"]) <= 8
    assert "The run was cancelled" in "\n".join(error["traceback"])
    assert kernel.value("slow.state") == "'cancelled'"
    assert kernel.value("done['gold.sums.count'].count()") == "3"
    assert "completed" in kernel.value("%tauro run --pipeline spark")


def test_pictures_of_a_running_pipeline_take_the_place_of_each_other(kernel, folder):
    (folder / "src/nodes.py").write_text(SLOW.format(seconds=0.6))
    kernel("%load_ext tauro_magics")
    drawn = []

    def note(message):
        if message["type"] in ("display_data", "update_display_data"):
            drawn.append((monotonic(), message["content"]))

    kernel("%tauro run --pipeline slow >> slow", meanwhile=note)
    assert 2 <= len(drawn) <= 5
    assert len({content["transient"]["display_id"] for _, content in drawn}) == 1
    assert "1 running" in drawn[0][1]["data"]["text/plain"]
    assert "<svg" in drawn[0][1]["data"]["text/html"]
    assert "2 completed" in drawn[-1][1]["data"]["text/plain"]


def test_unloading_leaves_no_thread_no_child_no_hook(kernel):
    state = (
        "import threading, os, sys, builtins\n"
        "def state(shell=get_ipython()):\n"
        "    return (sorted(t.name for t in threading.enumerate()), os.popen(f'pgrep -P {os.getpid()} -c').read(),\n"
        "        len(shell.Completer.custom_matchers), list(shell.input_transformers_cleanup),\n"
        "        sorted(shell.magics_manager.magics['line']), sorted(shell.magics_manager.magics['cell']),\n"
        "        len(shell.display_formatter.mimebundle_formatter.deferred_printers),\n"
        "        len(shell.display_formatter.mimebundle_formatter.type_printers))\n"
    )
    kernel("%unload_ext tauro_magics")
    kernel(state + "before = state()")
    kernel("%load_ext tauro_magics")
    assert "completed" in kernel.value("%tauro run --pipeline spark")
    kernel("%%tauro_config global_settings\nmine: 1")
    kernel("%reload_ext tauro_magics")
    kernel("%unload_ext tauro_magics")
    assert kernel.value("state() == before or (state(), before)") == "True"
    _, messages = kernel("%tauro run --pipeline spark")
    assert "`%tauro` not found" in str(messages)


def test_a_failing_cell_fails_the_execution_of_a_notebook(folder):
    cells = ["%load_ext tauro_magics", "%tauro run --pipeline nope", "print('never')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    with pytest.raises(CellExecutionError, match="Pipeline 'nope' not found"):
        NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(folder)}}).execute()
    (error,) = notebook.cells[1].outputs
    assert error.output_type == "error"
    assert error.traceback[0] == "Error: EXECUTION_ERROR: Pipeline 'nope' not found"
    assert len(error.traceback) <= 8
    assert notebook.cells[2].outputs == []
