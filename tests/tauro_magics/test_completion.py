"""Lines of magics are completed by what completes command lines in a shell."""

import json
from time import thread_time
from types import SimpleNamespace

import pytest
from IPython.core.completer import provisionalcompleter, rectify_completions

from tauro_magics.completion import attach, detach


@pytest.fixture
def complete(notebook):
    """Return what a cell would be, up to the cursor, with each of the proposals."""

    def whole(text):
        with provisionalcompleter():
            found = list(rectify_completions(text, notebook.shell.Completer.completions(text, len(text))))
        return [text[: each.start] + each.text for each in found]

    return whole


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("%tauro ru", ["%tauro run"]),
        ("%tauro pan", ["%tauro panel"]),
        ("%tauro run --pipe", ["%tauro run --pipeline"]),
        ("%tauro run --pipeline su", ["%tauro run --pipeline sums"]),
        ("done = %tauro run --pipeline su", ["done = %tauro run --pipeline sums"]),
        ("x = 1\n%tauro run --pipeline=su", ["x = 1\n%tauro run --pipeline=sums"]),
        ("%tauro run --pipeline sums --nodes load,t", ["%tauro run --pipeline sums --nodes load,total"]),
        ("%tauro config val", ["%tauro config validate"]),
    ],
)
def test_a_line_is_completed_as_in_a_shell_and_by_nothing_else(complete, project, typed, wanted):
    assert complete(typed) == wanted


def test_tables_of_a_run_are_completed(complete, notebook, project):
    notebook("%tauro run --pipeline sums >> done")
    known = notebook("[*done.plan.config.outputs]").value
    assert known
    assert complete(f"done['{known[0][:3]}")
    assert {f"done['{name}" for name in known} <= {each.removesuffix("']") for each in complete("done['")}


def test_an_ipython_without_matchers_is_given_a_hook(shell, project, monkeypatch):
    def hooks():
        return len(shell.strdispatchers["complete_command"].regexs)

    before = hooks()
    monkeypatch.delattr(shell.Completer, "custom_matchers")
    attach(shell)
    for line, symbol, wanted in (
        ("%tauro run --pipe", "--pipe", ["--pipeline"]),
        ("%tauro run --env=de", "de", ["dev"]),
    ):
        event = SimpleNamespace(text_until_cursor=line, symbol=symbol)
        (complete,) = list(shell.strdispatchers["complete_command"].flat_matches(line))
        assert complete(event) == wanted
    detach(shell)
    assert hooks() == before


def test_environments_and_runs_are_proposed(complete, notebook, project):
    assert "%tauro run --env sandbox" in complete("%tauro run --env ")
    notebook("%tauro run --pipeline memory >> done")
    assert complete("%tauro run --resume run-") == [f"%tauro run --resume {notebook('done.run_id').value}"]


def test_paths_and_python_are_left_to_ipython(complete, project):
    assert "%tauro run --log-file data/" in complete("%tauro run --log-file da")
    assert "impor" not in complete("impor")
    assert "import" in complete("impor")


def test_two_thousand_nodes_are_completed_within_50_ms(complete, project):
    nodes = {f"node_{number}": {"function": "nodes.make", "output": f"o{number}"} for number in range(2000)}
    (project / "config/base/nodes.json").write_text(json.dumps(nodes), encoding="utf-8")
    (project / "config/base/pipelines.json").write_text(json.dumps({"p": {"nodes": list(nodes)}}), encoding="utf-8")
    complete("%tauro run --pipeline p --node no")  # imports what it needs
    seconds = []
    for _ in range(3):
        started = thread_time()  # other programs take theirs from the clock
        assert len(complete("%tauro run --pipeline p --node node_1")) == 500  # as many as IPython shows
        seconds.append(thread_time() - started)
    assert min(seconds) < 0.05
