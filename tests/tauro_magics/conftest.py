"""A shell in this process, real kernels, and a small project in the current folder."""

import atexit
import contextlib
import io
from typing import NamedTuple

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

CODE = """\
import polars


def load(raw: polars.DataFrame):
    return raw.with_columns(double=polars.col("v") * 2)


def total(loaded: polars.DataFrame):
    return loaded.select(polars.col("double").sum())


def fail(loaded: polars.DataFrame):
    raise RuntimeError("no luck: password=hunter2")


def after(nothing: polars.DataFrame):
    assert nothing.height


def make():
    return [1, 2, 3]


def take(numbers):
    assert numbers == [1, 2, 3]
"""


class Cell(NamedTuple):
    """What a cell did: its value, what it printed, and how it failed; ``shown`` is how its error looks."""

    value: object
    out: str
    err: str
    error: BaseException | None

    @property
    def shown(self):
        return self.error._render_traceback_()


class Notebook:
    """Executes cells one after the other in a shell of this process."""

    def __init__(self, shell):
        self.shell = shell

    def __call__(self, text):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            done = self.shell.run_cell(text, store_history=True)
        return Cell(done.result, out.getvalue(), err.getvalue(), done.error_before_exec or done.error_in_exec)

    def forms(self, value):
        return self.shell.display_formatter.format(value)[0]


@pytest.fixture(scope="session")
def one_shell(tmp_path_factory):
    """IPython has one shell in a process."""
    config = Config()
    config.HistoryManager.enabled = False
    config.Completer.use_jedi = False  # it takes seconds to load
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        shell = InteractiveShell.instance(config=config)
        yield shell
        shell.atexit_operations()
        atexit.unregister(shell.atexit_operations)
        InteractiveShell.clear_instance()


@pytest.fixture
def shell(one_shell):
    """The shell without variables of others; it loses the extension when the test ends."""
    before = set(one_shell.user_ns)
    yield one_shell
    for name in set(one_shell.user_ns) - before:
        del one_shell.user_ns[name]
    one_shell.extension_manager.unload_extension("tauro_magics")


@pytest.fixture
def notebook(shell):
    shell.extension_manager.load_extension("tauro_magics")
    return Notebook(shell)


@pytest.fixture
def project(make_project, monkeypatch):
    """A project that computes with Polars, so that its runs need no engine, in the current folder."""
    root = make_project(
        CODE,
        {
            "load": {"input": "raw", "output": "loaded"},
            "total": {"input": "loaded", "output": "gold.sums.total"},
            "fail": {"input": "loaded", "output": "nothing"},
            "after": {"input": "nothing"},
            "make": {"output": "numbers"},
            "take": {"input": "numbers"},
        },
        pipelines={
            "sums": {"nodes": ["load", "total"], "description": "Adds <b>up</b>"},
            "broken": {"nodes": ["load", "fail", "after"]},
            "memory": {"nodes": ["make", "take"]},
        },
        input={"raw": {"format": "csv", "filepath": "data/raw.csv", "schema": "k STRING, v LONG"}},
        output={"loaded": {"format": "parquet", "filepath": "data/loaded"}, "gold.sums.total": {"format": "parquet"}},
        global_settings={"start_date": "2025-01-01", "end_date": "2025-01-31"},
    )
    (root / "data").mkdir()
    (root / "data/raw.csv").write_text("k,v\na,1\nb,2\n", encoding="utf-8")
    monkeypatch.chdir(root)
    monkeypatch.delenv("TAURO_ENV", raising=False)
    return root
