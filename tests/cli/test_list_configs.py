"""Which project a command line means: below the folder, by names, by picking; and what list-configs shows of it."""

import json
import os
import subprocess
import sys

import pytest

from tauro.config import search

VALIDATE = ("config", "validate")
LIST = ("config", "list-configs")
PIPELINES = ("config", "list-pipelines")


@pytest.fixture(autouse=True)
def memory(tmp_path, monkeypatch):
    """No search is remembered from elsewhere."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir(exist_ok=True)
    return tmp_path / "temp" / f"tauro-{os.geteuid()}"


@pytest.fixture
def land(tmp_path, monkeypatch):
    """Make projects below an empty folder, which is the current one; each has a pipeline of its folder's name."""
    base = tmp_path / "land"
    base.mkdir()
    monkeypatch.chdir(base)

    def make(*indexes):
        for index in indexes:
            folder = (base / index).parent
            (folder / "config" / "base").mkdir(parents=True, exist_ok=True)
            (base / index).write_text("{}")
            texts = {"pipelines": f"{folder.name}: {{nodes: [a]}}\n", "nodes": "a: {function: json.dumps, input: i}\n",
                     "input": "i: {format: csv, filepath: x}\n"}  # fmt: skip
            for section, text in texts.items():
                (folder / "config" / "base" / f"{section}.yaml").write_text(text)
        return base

    return make


@pytest.fixture
def typed(program, tmp_path):
    """Run a program whose user types."""

    def run(text, *arguments, **more):
        return program(*arguments, input=text, cwd=tmp_path / "land", **more)

    return run


def chosen(result):
    """Return the pipeline that a listing shows: it has its project's name."""
    assert result.code == 0, result.err
    return json.loads(result.out)["pipelines"][0]["name"]


def listed(tauro, *arguments):
    result = tauro(*LIST, "--output", "json", *arguments)
    assert result.code == 0, result.err
    return json.loads(result.out)["configs"]


# -- list-configs ---------------------------------------------------------------------------------


def test_every_index_is_listed_with_its_score_the_best_first(land, tauro):
    land("a/settings_yml.json", "b/c/tauro.json", "a/settings_json.json")
    result = tauro(*LIST)
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "  Score  Type  Path",
        "     29  yaml  a/settings_yml.json",
        "     24  json  a/settings_json.json",
        "      3  any   b/c/tauro.json",
    ]


def test_as_json_each_has_path_type_score_and_whether_it_is_taken(land, tauro):
    land("a/settings_yml.json")
    data = json.loads(tauro(*LIST, "--output", "json").out)
    assert data == {
        "schema": 1,
        "configs": [{"path": "a/settings_yml.json", "config_type": "yaml", "score": 29, "chosen": True}],
    }


def test_the_one_that_is_here_has_the_star(land, tauro):
    land("a/settings_yml.json", "settings.json")
    assert tauro(*LIST).out.splitlines()[1:] == ["      29  yaml  a/settings_yml.json", "*     15  any   settings.json"]


def test_nothing_to_list_is_a_configuration_error(land, tauro):
    land()
    result = tauro(*LIST)
    assert (result.code, result.out) == (2, "")
    assert "Error: CONFIGURATION_ERROR: No valid configuration found" in result.err
    assert "tauro template" in result.err


WISHES = [
    (), ("--layer-name", "silver"), ("--layer-name", "gold"), ("--use-case", "sales"), ("--layer-name", "bronze"),
    ("--layer-name", "silver", "--use-case", "sales"), ("--config-type", "yaml"), ("--config-type", "json"),
    ("--config-type", "dsl"), ("--layer-name", "sil", "--config-type", "yaml"),
]  # fmt: skip
LANDS = {
    "one project": ["silver/sales/settings_yml.json"],
    "two layers": ["silver/settings_yml.json", "gold/settings_yml.json"],
    "two formats": ["silver/settings_yml.json", "gold/settings_json.json", "gold/settings_dsl.json"],
    "a project here": ["settings_yml.json", "silver/settings_json.json"],
    "a project here of no type": ["tauro.json", "silver/settings_yml.json"],
    "two use cases": ["silver/sales/tauro.json", "silver/hr/tauro.json", "gold/sales/settings_yml.json"],
    "one inside the other": ["silver/tauro.json", "silver/sales/settings_yml.json"],
}


@pytest.mark.parametrize("wish", WISHES, ids=" ".join)
@pytest.mark.parametrize("indexes", LANDS.values(), ids=LANDS)
@pytest.mark.parametrize("folder", [".", "silver"])
def test_the_star_is_at_what_a_command_with_the_same_options_takes(land, tauro, wish, indexes, folder):
    base = land(*indexes)
    (base / folder).mkdir(exist_ok=True)
    command = tauro(*PIPELINES, "--output", "json", "--base-path", folder, *wish)
    listing = tauro(*LIST, "--output", "json", "--base-path", folder, *wish)
    starred = [item["path"] for item in json.loads(listing.out or '{"configs": []}')["configs"] if item["chosen"]]
    if command.code == 0:
        assert [(base / path).parent.name for path in starred] == [chosen(command)]
    else:
        assert command.code in (2, 3)
        assert starred == []


def test_from_inside_a_project_its_own_index_is_listed(land, tauro, monkeypatch):
    base = land("shop/settings_yml.json", "shop/tests/fixture/tauro.json")
    (base / "shop" / "src").mkdir()
    monkeypatch.chdir(base / "shop" / "src")
    found = listed(tauro)
    assert [(item["path"], item["chosen"]) for item in found] == [
        (str(base / "shop/settings_yml.json"), True),
        (str(base / "shop/tests/fixture/tauro.json"), False),
    ]


def test_a_path_is_shown_as_one_would_type_it(land, tauro):
    land("a/b/tauro.json")
    assert [item["path"] for item in listed(tauro, "--base-path", "a")] == ["a/b/tauro.json"]


def test_a_search_that_ends_at_its_bounds_says_so_and_has_no_star(land, tauro, monkeypatch):
    land("a/tauro.json", "b/tauro.json")
    monkeypatch.setattr(search, "MAX_FOLDERS", 4)
    result = tauro(*LIST)
    assert result.code == 0
    assert "The search ended after 10,000 folders; name a smaller one by --base-path." in result.err
    assert "*" not in result.out
    result = tauro(*VALIDATE)
    assert (result.code, result.out) == (3, "")
    assert "a smaller one by --base-path" in result.err


def test_what_is_found_does_not_steer_the_terminal(land, tauro):
    land("a\x1b[31m\n/tauro.json")
    result = tauro(*LIST)
    assert result.code == 0
    assert "\x1b" not in result.out
    assert listed(tauro)[0]["path"] == "a\x1b[31m\n/tauro.json"


@pytest.mark.parametrize(("path", "code"), [("gone", 2), ("/tmp", 6), ("..", 6), (".hidden", 6), ("link", 6)])
def test_the_folder_follows_the_path_rules(land, tauro, path, code):
    (land("a/tauro.json") / "link").symlink_to("a")
    for command in (LIST, VALIDATE):
        result = tauro(*command, "--base-path", path)
        assert (result.code, result.out) == (code, "")


# -- which project a command takes ----------------------------------------------------------------


def test_the_only_project_below_is_taken_and_told(land, tauro):
    land("a/b/tauro.json")
    result = tauro(*PIPELINES, "--output", "json")
    assert chosen(result) == "b"
    assert result.err == "Using the project in a/b.\n"
    assert tauro(*VALIDATE, "--quiet").err == ""


def test_several_are_refused_with_3_and_the_candidates(land, tauro):
    land("a/settings_yml.json", "b/tauro.json")
    result = tauro(*VALIDATE)
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("Error: VALIDATION_ERROR: 2 projects could be meant")
    assert "Looked up: a/settings_yml.json, b/tauro.json" in result.err
    error = json.loads(tauro(*VALIDATE, "--output", "json").err)["error"]
    assert error["looked_up"] == ["a/settings_yml.json", "b/tauro.json"]


def test_none_at_all_is_refused_with_2(land, tauro):
    land()
    assert tauro(*VALIDATE).code == 2


NAMES = [
    ({"layer-name": "silver"}, "silver"),
    ({"use-case": "hr"}, "hr"),
    ({"layer-name": "gold", "use-case": "sales"}, "sales"),
    ({"layer-name": "GOLD", "use-case": "Sales"}, "sales"),
]


@pytest.mark.parametrize(("names", "project"), NAMES)
def test_names_choose_by_option_and_by_variable(land, tauro, monkeypatch, names, project):
    land("silver/tauro.json", "gold/sales/tauro.json", "gold/hr/tauro.json")
    by_option = tauro(*PIPELINES, "--output", "json", *(word for name in names for word in (f"--{name}", names[name])))
    for name, value in names.items():
        monkeypatch.setenv(f"TAURO_{name.upper().replace('-', '_')}", value)
    for result in (by_option, tauro(*PIPELINES, "--output", "json")):
        assert chosen(result) == project
        assert result.err.startswith("Using the project in ")
        assert "though" not in result.err


def test_names_that_do_not_tell_them_apart_are_refused_with_those_that_have_them(land, tauro):
    land("silver/sales/tauro.json", "gold/sales/tauro.json", "gold/hr/tauro.json")
    result = tauro(*VALIDATE, "--use-case", "sales")
    assert result.code == 3
    assert "Looked up: gold/sales/tauro.json, silver/sales/tauro.json" in result.err


def test_a_project_without_the_name_that_was_asked_for_is_told_as_such(land, tauro):
    land("a/tauro.json")
    result = tauro(*VALIDATE, "--layer-name", "silver", "--use-case", "sales")
    assert result.code == 0
    assert result.err == "Using the project in a, though no folder of its path is named silver or sales.\n"


def test_a_run_takes_its_project_as_any_command_does(land, tauro):
    land("silver/tauro.json", "gold/tauro.json")
    result = tauro("run", "--layer-name", "gold", "--pipeline", "gold", "--dry-run")
    assert result.code == 0
    assert "Using the project in gold." in result.err


def test_what_is_chosen_is_no_part_of_the_data(land, tauro):
    land("a/tauro.json")
    result = tauro(*VALIDATE, "--output", "json")
    assert json.loads(result.out)["valid"]
    assert result.err == "Using the project in a.\n"


# -- picking --------------------------------------------------------------------------------------


def test_the_user_picks_by_number(land, typed):
    land("a/settings_yml.json", "b/tauro.json")
    result = typed("2\n", *PIPELINES, "--interactive", "--output", "json")
    assert chosen(result) == "b"
    lines = result.err.splitlines()
    assert lines[:3] == [
        "#  Settings             Score",
        "1  a/settings_yml.json     29",
        "2  b/tauro.json             4",
    ]
    assert "Which" in result.err
    assert lines[-1].endswith("Using the project in b.")


@pytest.mark.parametrize("wrong", ["0", "3", "-1", "x", "", "1.5", "a/settings_yml.json"])
def test_a_wrong_answer_is_asked_again(land, typed, wrong):
    land("a/settings_yml.json", "b/tauro.json")
    result = typed(f"{wrong}\n1\n", *PIPELINES, "--interactive", "--output", "json")
    assert chosen(result) == "a"
    assert result.err.count("Which") == 2


@pytest.mark.parametrize("text", ["", "9\n"])
def test_the_end_of_the_input_cancels_with_4(land, typed, text):
    land("a/tauro.json", "b/tauro.json")
    result = typed(text, *VALIDATE, "--interactive")
    assert result.code == 4
    assert "Cancelled" in result.err
    assert "Traceback" not in result.err


def test_only_data_is_printed_to_stdout_though_something_is_asked(land, typed):
    land("a/tauro.json", "b/tauro.json")
    assert typed("1\n", *VALIDATE, "--interactive").out.startswith("The configuration is valid")


def test_nothing_is_asked_where_there_is_one_project(land, typed):
    land("a/settings_yml.json", "a/tauro.json")
    result = typed("", *PIPELINES, "--interactive", "--output", "json")
    assert chosen(result) == "a"
    assert "Which" not in result.err


def test_a_project_of_several_indexes_is_one_choice(land, typed):
    land("a/settings_yml.json", "a/settings_json.json", "b/settings_yml.json")
    result = typed("2\n", *PIPELINES, "--interactive", "--output", "json")
    assert chosen(result) == "b"
    assert "settings_json.json" not in result.err


def test_the_user_may_pick_though_there_is_a_project_here(land, typed):
    land("settings_yml.json", "a/tauro.json")
    assert chosen(typed("2\n", *PIPELINES, "--interactive", "--output", "json")) == "a"
    assert chosen(typed("1\n", *PIPELINES, "--interactive", "--output", "json")) == "land"


def test_picking_from_a_closed_input_cancels(land, tmp_path):
    land("a/tauro.json", "b/tauro.json")
    result = subprocess.run(
        [sys.executable, "-m", "tauro", *VALIDATE, "--interactive"],
        cwd=tmp_path / "land", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert result.returncode == 4


# -- what is remembered ---------------------------------------------------------------------------


def test_a_project_that_is_added_is_found_at_once(land, tauro):
    land("a/tauro.json")
    assert len(listed(tauro)) == 1
    land("b/tauro.json")
    assert len(listed(tauro)) == 2
    assert tauro(*VALIDATE).code == 3


def test_nothing_is_remembered_where_a_project_is_here(land, tauro, memory):
    land("settings_yml.json")
    assert tauro(*VALIDATE).code == 0
    assert not memory.exists()


def test_clear_cache_forgets_what_was_found_and_says_where(land, tauro, memory, monkeypatch):
    land("a/tauro.json")
    monkeypatch.setattr("tauro.config.search_cache._SETTLED", -60)
    assert tauro(*VALIDATE).code == 0
    assert (memory / "discovery.json").exists()
    result = tauro("config", "clear-cache")
    assert (result.code, result.out, result.err) == (0, f"Forgot 1 search ({memory / 'discovery.json'}).\n", "")
    assert not (memory / "discovery.json").exists()
    data = json.loads(tauro("config", "clear-cache", "--output", "json").out)
    assert data == {"schema": 1, "cleared": 0, "path": str(memory / "discovery.json")}
    assert tauro("config", "clear-cache").out.startswith("Forgot 0 searches")


def test_clear_cache_needs_no_project_and_no_folder(tauro, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    assert tauro("config", "clear-cache").code == 0
    assert not (tmp_path / "gone").exists()


def test_a_temp_folder_that_is_not_there_costs_no_command(land, program):
    base = land("a/tauro.json")
    result = program(*VALIDATE, cwd=base, env={**os.environ, "TMPDIR": "/gone/for/good"})
    assert result.code == 0
    assert sorted(path.name for path in base.iterdir()) == ["a"]
