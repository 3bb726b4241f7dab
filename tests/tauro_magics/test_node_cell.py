"""``%%tauro_node`` and ``%tauro load-node``: edit a node, run it, look, repeat, save."""

import pytest

from tauro_magics.code import with_definitions


@pytest.fixture
def next_cell(shell, monkeypatch):
    """What was put into the next cell."""
    cells = []
    monkeypatch.setattr(shell, "set_next_input", cells.append)
    return cells


def test_a_cells_function_is_the_nodes_in_the_next_run(notebook, project):
    done = notebook("%%tauro_node make\ndef make():\n    return [1, 2, 3, 4]")
    assert done.error is None, done.out
    failed = notebook("%tauro run --pipeline memory")
    assert "Node 'take' failed" in failed.error.text
    notebook("%%tauro_node take\ndef take(numbers):\n    assert len(numbers) == 4")
    assert notebook("%tauro run --pipeline memory").error is None
    assert "[1, 2, 3]" in (project / "src/nodes.py").read_text()


def test_the_cell_knows_the_names_of_its_module_and_of_the_notebook(notebook, project):
    notebook("factor = 5")
    cell = "%%tauro_node total\ndef total(loaded):\n    return loaded.select(polars.col('double').sum() * factor)"
    assert notebook(cell.replace("(loaded)", "(loaded: polars.DataFrame)")).error is None
    notebook("%tauro run --pipeline sums >> done")
    assert notebook("done['gold.sums.total'].collect()[0][0]").value == 30


def test_an_error_of_the_function_is_at_a_line_of_the_cell(notebook, project):
    notebook("%%tauro_node make\ndef make():\n    numbers = [1]\n    return numbers[3]")
    number = notebook.shell.execution_count - 1
    failed = notebook("%tauro run --pipeline memory")
    assert f"In[{number}]:4:5" in failed.error.text
    assert "return numbers[3]" in failed.error.text


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("%%tauro_node mak\ndef mak():\n    pass", "Did you mean 'make'?"),
        ("%%tauro_node make\nx = 1", "The cell defines no function"),
        ("%%tauro_node make\ndef make(:\n    pass", "]:2:10"),
        ("%%tauro_node make\n1 // 0\ndef make():\n    pass", "ZeroDivisionError"),
    ],
)
def test_a_cell_that_is_no_node_fails_and_says_why(notebook, project, cell, says):
    failed = notebook(cell)
    assert says in failed.error.text
    assert len(failed.shown) <= 8
    assert notebook("%tauro run --pipeline memory").error is None


def test_a_node_that_its_pipeline_describes_can_be_a_cell_too(notebook, project):
    (project / "config/base/pipelines.json").write_text(
        '{"inline": {"nodes": [{"name": "one", "function": "nodes.make", "output": "x"}]}}'
    )
    done = notebook("%%tauro_node one\ndef one():\n    raise ValueError('mine')")
    assert done.error is None, done.out
    assert "mine" in notebook("%tauro run --pipeline inline").error.text


def test_saving_replaces_the_function_and_nothing_else(notebook, project):
    code = project / "src/nodes.py"
    before = code.read_text()
    cell = "%%tauro_node make --save\nfrom math import pi\n\ndef make():\n    return [1, 2, round(pi)]"
    done = notebook(cell)
    assert done.error is None, done.out
    expected = before.replace("import polars\n", "import polars\nfrom math import pi\n", 1)
    assert code.read_text() == expected.replace("return [1, 2, 3]", "return [1, 2, round(pi)]")
    assert notebook("%tauro run --pipeline memory").error is None
    assert notebook.shell.magics_manager.registry["TauroMagics"].session.overlays == ()


def test_a_cell_with_more_than_definitions_is_not_saved(notebook, project):
    before = (project / "src/nodes.py").read_text()
    failed = notebook("%%tauro_node make --save\nlimit = 3\ndef make():\n    return limit")
    assert "limit = 3" in failed.error.text
    assert (project / "src/nodes.py").read_text() == before


def test_comments_above_a_definition_go_with_it_and_others_stay():
    module = '"""Doc."""\n\n# about a\n@staticmethod\ndef a():\n    pass\n\n\n# about b\ndef b():\n    pass\n'
    made = with_definitions(module, "import os\n\n\n# new\ndef a():\n    return os\n\n\ndef c():\n    pass")
    assert made == (
        '"""Doc."""\n\nimport os\n\n# new\ndef a():\n    return os\n\n\n# about b\ndef b():\n    pass\n'
        "\n\ndef c():\n    pass\n"
    )


def test_load_node_fills_a_cell_with_the_code_and_variables_with_the_inputs(notebook, project, next_cell):
    done = notebook("%tauro load-node load")
    assert done.error is None, done.out
    assert next_cell == [
        '%%tauro_node load\ndef load(raw: polars.DataFrame):\n    return raw.with_columns(double=polars.col("v") * 2)'
    ]
    assert notebook("raw['v'].to_list()").value == [1, 2]
    assert "raw: polars DataFrame: k, v" in str(done.value)


def test_the_inputs_of_a_failed_node_are_there_those_in_memory_too(notebook, project, next_cell):
    code = project / "src/nodes.py"
    code.write_text(code.read_text().replace("== [1, 2, 3]", "== []"))
    assert notebook("%tauro run --pipeline memory").error is not None
    assert notebook("%tauro load-node take").error is None
    assert notebook("numbers").value == [1, 2, 3]
    assert notebook("%tauro run --pipeline broken >> done").error is not None
    assert (
        notebook("%tauro load-node fail --run {run_id}".replace("{run_id}", notebook("done.run_id").value)).error
        is None
    )
    assert notebook("loaded.columns").value == ["k", "v", "double"]


def test_the_code_of_a_cell_is_loaded_again_from_the_cell(notebook, project, next_cell):
    notebook("%%tauro_node make\n\ndef make():\n    return 7")
    notebook("%tauro load-node make")
    assert next_cell == ["%%tauro_node make\ndef make():\n    return 7"]
