"""${NAME}: where a value is looked up, what a default is, and every way that a reference can fail."""

from datetime import date

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from tauro.config.interpolation import Interpolated, Interpolator
from tauro.errors import ValidationError
from tauro.project import Project

RUN = {
    "start_date": lambda: "2025-01-01",
    "end_date": lambda: "2025-01-31",
    "env": lambda: "dev",
    "project_name": lambda: "folder",
}


def expand(text, environ=None, settings=None, run=RUN):
    interpolator = Interpolator(environ or {}, settings or {}, run)
    value = interpolator.resolve(text)
    assert not interpolator.unresolved, interpolator.unresolved
    return value


def lost(text, environ=None, settings=None):
    interpolator = Interpolator(environ or {}, settings or {}, RUN)
    assert interpolator.resolve({"at": [text]}) == {"at": [text]}, "what has no value stays as written"
    (found,) = interpolator.unresolved
    assert found.path == ("at", 0)
    return found


def test_an_environment_variable_comes_before_a_setting():
    assert expand("${A}", {"A": "environ"}, {"A": "setting"}) == "environ"
    assert expand("${A}", {}, {"A": "setting"}) == "setting"


def test_an_empty_environment_variable_is_a_value():
    assert expand("<${A:-default}>", {"A": ""}, {"A": "setting"}) == "<>"


@pytest.mark.parametrize("name", ["env", "project_name"])
def test_a_setting_comes_before_the_run_s_value(name):
    assert expand(f"${{{name}}}", {}, {name: "setting"}) == "setting"
    assert expand(f"${{{name}}}") == RUN[name]()


@pytest.mark.parametrize("name", ["start_date", "end_date"])
def test_the_run_s_dates_come_before_the_settings_they_are_made_of(name):
    assert expand(f"${{{name}}}", {}, {name: "2020-01-01"}) == RUN[name]()
    assert expand(f"${{{name}}}", {name: "environ"}) == "environ"


def test_a_dotted_path_leads_into_settings():
    settings = {"a": {"b": {"c": 7}}, "x.y": "whole key first", "x": {"y": "not this"}}
    assert expand("${a.b.c}-${x.y}", {}, settings) == "7-whole key first"


def test_a_text_may_hold_several_references():
    assert expand("s3://${B}/${env}/${P}.csv", {"B": "bucket"}, {"P": "x"}) == "s3://bucket/dev/x.csv"


@pytest.mark.parametrize(
    ("setting", "text"), [(5, "5"), (2.5, "2.5"), (True, "true"), (False, "false"), ("", ""), ("a b", "a b")]
)
def test_a_setting_is_written_as_in_a_file(setting, text):
    assert expand("${A}", {}, {"A": setting}) == text


def test_settings_may_refer_to_each_other():
    assert expand("${a}", {"E": "!"}, {"a": "<${b}>", "b": "${c.d}${E}", "c": {"d": "deep"}}) == "<deep!>"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A:-plain}", "plain"),
        ("${A:-}", ""),
        ("${A:-a:-b}", "a:-b"),
        ("${A:-s3://x/y z}", "s3://x/y z"),
        ("${A:-${B}}", "b"),
        ("${A:-${C:-c}}", "c"),
        ("${A:-<${C:-${D:-${B}}}>}", "<b>"),
        ("${A:-$${x}}", "${x}"),
        ("${A:-{}}", "{}"),
        ("${A:-{x: ${B}}}", "{x: b}"),
        ("${B:-${NOBODY}}", "b"),
    ],
)
def test_a_default_may_hold_references_and_pairs_of_braces(text, value):
    assert expand(text, {"B": "b"}) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("$${A}", "${A}"), ("$${", "${"), ("a$b", "a$b"), ("$A", "$A"), ("{A}", "{A}"), ("$$", "$$"), ("}", "}")],
)
def test_what_is_no_reference_stays_as_it_is(text, value):
    assert expand(text, {"A": "x"}) == value


def test_what_an_environment_variable_holds_is_never_expanded():
    """Who sets a variable from foreign data must not hand over the others."""
    environ = {"A": "${B} $${C} ${A}", "B": "secret"}
    assert expand("<${A}>", environ) == "<${B} $${C} ${A}>"
    assert expand("${s}", environ, {"s": "<${A}>"}) == "<${B} $${C} ${A}>"


@for_any(value=st.text(st.characters(codec="utf-8"), max_size=30), text=st.text("ab ${}:-$", max_size=15))
@settings(max_examples=300, deadline=None)
def test_any_value_of_an_environment_variable_is_taken_as_it_is(value, text):
    assert expand("[${A}]", {"A": value}) == f"[{value}]"
    interpolator = Interpolator({"A": value}, {}, {})
    interpolator.resolve({"k": text + "${A}"})  # whatever the text is: a value or a note, never an exception


def test_references_are_resolved_wherever_a_text_stands():
    data = {"a": ["${X}", {"b": "${X}"}], "c": {"d": "${X}"}, "${X}": 1, "n": 5, "z": None}
    assert expand(data, {"X": "x"}) == {"a": ["x", {"b": "x"}], "c": {"d": "x"}, "${X}": 1, "n": 5, "z": None}


def test_text_from_a_variable_is_marked_so_that_fields_may_read_numbers_from_it():
    assert type(expand("${A}", {"A": "5"})) is Interpolated
    assert type(expand("plain")) is str


def test_an_unknown_name_is_noted_with_the_nearest_ones():
    found = lost("x ${OUTPUT_PTH}", {"OUTPUT_PATH": "1"}, {"outputs": 1})
    assert found.message == "Variable 'OUTPUT_PTH' has no value"
    assert found.nearest[0] == "OUTPUT_PATH"
    assert "default" in found.hint


@pytest.mark.parametrize(
    ("settings", "text", "circle"),
    [
        ({"a": "${a}"}, "${a}", "a -> a"),
        ({"a": "${b}", "b": "x${c}", "c": "${a}"}, "${a}", "a -> b -> c -> a"),
        ({"a": "${b}", "b": "${b}"}, "${a}", "b -> b"),
        ({"a": {"b": "${a.b}"}}, "${a.b}", "a.b -> a.b"),
        ({"a": "${X:-${a}}"}, "${a}", "a -> a"),
    ],
)
def test_a_circle_is_noted_as_its_path(settings, text, circle):
    assert lost(text, {}, settings).message.endswith(f": {circle}")


def test_a_name_may_be_used_twice_without_being_a_circle():
    assert expand("${a}${a}", {}, {"a": "${b}${b}", "b": "x"}) == "xxxx"


@pytest.mark.parametrize(("value", "kind"), [({"x": 1}, "mapping"), ([1], "list")])
def test_a_mapping_or_a_list_is_no_value(value, kind):
    assert f"'a' is a {kind}" in lost("${a}", {}, {"a": value}).message


@pytest.mark.parametrize("text", ["${", "${}", "${1a}", "${ A }", "${A-b}", "${A", "${A:-b", "x ${A:-{} y", "${A:b}"])
def test_a_reference_that_is_not_written_right_is_noted(text):
    found = lost(text, {"A": "x"})
    assert "starts no reference" in found.message
    assert "$${" in found.hint


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "api_key", "GITHUB_TOKEN", "client_secret", "AWS_CREDENTIALS", "PgPasswd"]
)
def test_values_under_names_of_secrets_are_collected(name):
    for environ, given in (({name: "hunter2"}, {}), ({}, {name: "hunter2"}), ({"V": "hunter2"}, {name: "${V}"})):
        interpolator = Interpolator(environ, given, {})
        assert interpolator.resolve(f"a ${{{name}}} b") == "a hunter2 b"
        assert interpolator.secrets == {"hunter2"}


def test_a_secret_s_default_is_a_secret():
    interpolator = Interpolator({}, {}, {})
    interpolator.resolve("${DB_PASSWORD:-hunter2}")
    assert interpolator.secrets == {"hunter2"}


def test_other_values_are_no_secrets():
    interpolator = Interpolator({"USER": "me"}, {"bucket": "b"}, RUN)
    interpolator.resolve("${USER} ${bucket} ${env} ${X:-y}")
    assert interpolator.secrets == set()


# -- in a project ---------------------------------------------------------------------------------

TODAY = date(2025, 6, 15)


def inspect(folder, environ=None):
    return Project.inspect(folder, environ=environ or {}, today=TODAY)


def variables(folder, environ=None):
    opened, faults = inspect(folder, environ)
    assert not faults
    return opened.config.settings.variables


def test_a_run_s_dates_are_the_settings_when_none_are_given(project):
    folder = project(global_settings="start_date: 2025-01-01\nend_date: 2025-01-31\nx: ${start_date}/${end_date}\n")
    assert variables(folder)["x"] == "2025-01-01/2025-01-31"


def test_a_run_s_dates_are_today_when_nobody_gives_any(project):
    assert variables(project(global_settings="x: ${start_date}/${end_date}\n"))["x"] == "2025-06-15/2025-06-15"


def test_a_relative_date_of_the_settings_is_resolved(project):
    folder = project(global_settings="start_date: yesterday\nend_date: today\nx: ${start_date}/${end_date}\n")
    assert variables(folder)["x"] == "2025-06-14/2025-06-15"


def test_a_date_of_the_settings_may_be_a_reference(project):
    folder = project(global_settings="start_date: ${FROM}\nend_date: today\nx: ${start_date}\n")
    assert variables(folder, {"FROM": "2025-02-03"})["x"] == "2025-02-03"


def test_dates_that_are_given_to_a_run_are_the_ones_in_its_values(project):
    folder = project(
        global_settings="start_date: 2025-01-01\nend_date: 2025-01-31\n",
        input="i: {format: csv, filepath: 'data/${start_date}_${end_date}.csv'}\n",
    )
    opened = Project.open(folder, environ={}, today=TODAY)
    assert opened.plan("p").reads["i"].config.filepath == "data/2025-01-01_2025-01-31.csv"
    plan = opened.plan("p", start_date="2025-01-10", end_date="today")
    assert plan.reads["i"].config.filepath == "data/2025-01-10_2025-06-15.csv"


def test_the_project_s_name_and_environment_can_be_referred_to(project):
    folder = project(global_settings="x: ${project_name}/${env}\n")
    assert variables(folder)["x"] == f"{folder.name}/base"
    folder = project(global_settings="project_name: sales_${env}\nx: ${project_name}\n")
    assert variables(folder)["x"] == "sales_base"


def test_a_setting_that_no_file_gives_can_be_referred_to_by_its_default(project):
    assert variables(project(global_settings="x: ${output_path}/${mode}\n"))["x"] == "data/output/local"


@pytest.mark.parametrize(
    ("setting", "about"), [("2025-13-01", "month"), ("20250101", "20250101"), ("soon", "soon"), ("${GONE}", "GONE")]
)
def test_a_wrong_date_that_others_refer_to_is_a_fault_at_its_own_place(project, setting, about):
    _, faults = inspect(project(global_settings=f"x: ${{start_date}}\nstart_date: {setting}\n"))
    places = {str(fault.place) for fault in faults}
    assert "config/base/global_settings.yaml:2:13" in places
    assert any(about in fault.message for fault in faults)
    assert all(fault.exit_code == 3 for fault in faults)


def test_dates_in_the_wrong_order_are_one_fault_among_the_others(project):
    text = "start_date: 2025-02-01\nend_date: 2025-01-01\nmax_parallel_nodes: x\n"
    _, faults = inspect(project(global_settings=text))
    assert {(fault.id, str(fault.place)) for fault in faults} == {
        ("dates", "config/base/global_settings.yaml:1:13"),
        ("type", "config/base/global_settings.yaml:3:21"),
    }


def test_given_dates_in_the_wrong_order_are_an_error_of_their_own(project):
    opened = Project.open(project(global_settings="x: ${start_date}\n"), environ={}, today=TODAY)
    with pytest.raises(ValidationError, match=r"2025-06-16 .* is after the end date 2025-06-15"):
        opened.plan("p", start_date="2025-06-16")


def test_an_unknown_variable_is_a_fault_with_its_place_and_section(project):
    folder = project(
        global_settings="bucket: b\n",
        output="o:\n  format: parquet\n  filepath: s3://${buckt}/o\n  options:\n    x: ${NO}\n",
    )
    _, faults = inspect(folder)
    assert [(fault.id, str(fault.place), fault.nearest) for fault in faults] == [
        ("unknown-variable", "config/base/output.yaml:3:13", ("bucket",)),
        ("unknown-variable", "config/base/output.yaml:5:8", ()),
    ]
    assert [fault.exit_code for fault in faults] == [3, 3]
    assert faults[0].message == "o.filepath: Variable 'buckt' has no value"


def test_a_value_that_is_lost_is_not_a_wrong_value_too(project):
    _, faults = inspect(project(global_settings="max_parallel_nodes: ${GONE}\nstart_date: ${GONE}\n"))
    assert [fault.id for fault in faults] == ["unknown-variable"] * 2


def test_secrets_of_a_project_are_hidden_in_texts(project):
    folder = project(
        global_settings="url: jdbc:x?user=u&auth=${DB_PASSWORD}\n",
        input="i: {format: csv, filepath: '${API_KEY:-k3y-value}'}\n",
    )
    opened, _ = inspect(folder, {"DB_PASSWORD": "hunter2"})
    assert opened.config.secrets == {"hunter2", "k3y-value"}
    assert opened.config.redact("it said hunter2 and k3y-value") == "it said *** and ***"
