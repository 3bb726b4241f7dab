"""Which settings file a project has, and the files that it leads to."""

import json

import pytest

from tauro.config.discovery import SECTIONS, read_index, section_files
from tauro.config.loading import read_sources
from tauro.config.root import find_root
from tauro.config.validation import check_project
from tauro.errors import ConfigurationError, SettingsNotFound, UnsafePath
from tauro.project import Project

ORDER = ("settings_yml.json", "settings_json.json", "settings_dsl.json", "settings.json", "config.json", "tauro.json")


def sources(folder, env="base", **more):
    return read_sources(folder, env, **more)


def section(folder, name, env="base"):
    return sources(folder, env).sections[name].data


def faults_of(folder, env="base"):
    return [fault for fault in sources(folder, env).faults if not fault.warning]


# -- the index ------------------------------------------------------------------------------------


def test_the_first_index_in_the_documented_order_counts(tmp_path):
    for name in reversed(ORDER):
        (tmp_path / name).write_text("{}")
        assert read_index(tmp_path).document.name == name


@pytest.mark.parametrize(
    ("kind", "name"), [("yaml", "settings_yml.json"), ("json", "settings_json.json"), ("dsl", "settings_dsl.json")]
)
def test_a_config_type_chooses_its_index_and_no_other(tmp_path, kind, name):
    for other in ORDER:
        (tmp_path / other).write_text("{}")
    assert read_index(tmp_path, kind).document.name == name
    (tmp_path / name).unlink()
    with pytest.raises(SettingsNotFound) as caught:
        read_index(tmp_path, kind)
    assert (caught.value.exit_code, caught.value.message) == (2, "No valid configuration found")
    assert caught.value.details.looked_up == (str(tmp_path / name),)


def test_the_index_is_looked_for_in_the_folders_above(tmp_path):
    (tmp_path / "tauro.json").write_text("{}")
    deep = tmp_path / "src" / "pipelines"
    deep.mkdir(parents=True)
    assert find_root(deep) == find_root(tmp_path) == tmp_path


def test_the_nearest_index_counts(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "settings_yml.json").write_text("{}")
    (inner / "tauro.json").write_text("{}")
    assert find_root(inner) == inner


def test_without_an_index_the_error_lists_what_was_looked_up_and_how_to_begin(tmp_path):
    with pytest.raises(SettingsNotFound) as caught:
        find_root(tmp_path)
    error = caught.value
    assert (error.exit_code, error.message) == (2, "No valid configuration found")
    assert error.details.looked_up[: len(ORDER)] == tuple(str(tmp_path / name) for name in ORDER)
    assert "tauro template" in error.hint


def test_a_folder_that_is_named_like_an_index_is_none(tmp_path):
    (tmp_path / "settings.json").mkdir()
    (tmp_path / "tauro.json").write_text("{}")
    assert find_root(tmp_path) == tmp_path


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"', "null"])
def test_an_index_that_is_no_mapping_is_a_configuration_error_with_a_place(tmp_path, text):
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_index(tmp_path)
    assert caught.value.exit_code == 2
    assert caught.value.faults[0].place.file == "settings.json"


def test_every_fault_of_an_index_is_reported_at_its_place(tmp_path):
    (tmp_path / "settings.json").write_text(
        """{
  "base_path": 5,
  "env_confg": {},
  "env_config": {
    "base": {"nodes_config_pth": "n.yaml", "pipelines_config_path": 3},
    "dev": ["x"],
    "prod": null
  }
}"""
    )
    with pytest.raises(ConfigurationError) as caught:
        read_index(tmp_path)
    found = {(str(fault.place), fault.nearest[:1]) for fault in caught.value.faults}
    assert found == {
        ("settings.json:2:16", ()),
        ("settings.json:3:3", ("env_config",)),
        ("settings.json:5:14", ("nodes_config_path",)),
        ("settings.json:5:69", ()),
        ("settings.json:6:12", ()),
        ("settings.json:7:13", ()),
    }
    assert {fault.id for fault in caught.value.faults} == {"settings-index"}


def test_an_index_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "real.json").write_text("{}")
    (tmp_path / "settings.json").symlink_to("real.json")
    with pytest.raises(UnsafePath):
        read_index(tmp_path)


# -- the files of the sections --------------------------------------------------------------------


def test_the_index_names_files_of_any_format_and_of_several_environments(project):
    folder = project(
        {
            "settings.json": {
                "base_path": "conf",
                "env_config": {
                    "base": {
                        "global_settings_path": "gs.dsl",
                        "pipelines_config_path": "p.json",
                        "nodes_config_path": "n.yml",
                        "input_config_path": "i.yaml",
                        "output_config_path": "o.YAML",
                    },
                    "Production": {"nodes_config_path": "prod/n.json"},
                },
            },
            "conf/gs.dsl": "layer = gold\n[a]\nb = 1\n",
            "conf/p.json": '{"p": {"nodes": ["a"]}}',
            "conf/n.yml": "a: {function: m.f, input: i}\n",
            "conf/i.yaml": "i: {format: csv, filepath: x}\n",
            "conf/o.YAML": "o: {format: csv, filepath: y}\n",
            "conf/prod/n.json": '{"a": {"function": "m.g"}}',
        }
    )
    base = sources(folder)
    assert {name: layered.data for name, layered in base.sections.items()} == {
        "global_settings": {"layer": "gold", "a": {"b": 1}},
        "pipelines": {"p": {"nodes": ["a"]}},
        "nodes": {"a": {"function": "m.f", "input": "i"}},
        "input": {"i": {"format": "csv", "filepath": "x"}},
        "output": {"o": {"format": "csv", "filepath": "y"}},
    }
    prod = sources(folder, "prod")
    assert prod.sections["nodes"].data == {"a": {"function": "m.g", "input": "i"}}
    assert [document.name for document in prod.sections["nodes"].documents] == ["conf/n.yml", "conf/prod/n.json"]


@pytest.mark.parametrize("suffix", ["yaml", "yml", "json", "dsl"])
def test_a_convention_finds_the_sections_that_the_index_does_not_name(project, suffix):
    text = {"json": '{"x": "mine"}', "dsl": "x = mine\n"}.get(suffix, "x: mine\n")
    folder = project({f"config/dev/global_settings.{suffix}": text}, global_settings="x: base\ny: base\n")
    assert section(folder, "global_settings", "dev") == {"x": "mine", "y": "base"}


def test_a_developer_s_sandbox_stands_on_the_sandbox(project):
    """What the specification shows: mkdir config/sandbox_alice; cp config/sandbox/pipelines.yaml there."""
    folder = project(
        {
            "config/sandbox/global_settings.yaml": "a: sandbox\nb: sandbox\n",
            "config/sandbox_alice/global_settings.yaml": "b: alice\n",
        },
        global_settings="a: base\nb: base\nc: base\n",
    )
    assert section(folder, "global_settings", "sandbox_alice") == {"a": "sandbox", "b": "alice", "c": "base"}
    assert sources(folder, " Sandbox_ALICE ").layers == ("base", "sandbox", "sandbox_alice")


def test_the_convention_starts_at_the_base_path(project):
    folder = project({"settings.json": {"base_path": "conf"}, "conf/config/base/nodes.yaml": "b: {}\n"})
    assert section(folder, "nodes") == {"b": {}}


def test_what_the_index_names_comes_before_the_convention(project):
    folder = project(
        {"settings.json": {"env_config": {"dev": {"nodes_config_path": "mine.yaml"}}}, "mine.yaml": "x: {}\n",
         "config/dev/nodes.yaml": "y: {}\n", "config/dev/input.yaml": "z: {}\n"}
    )  # fmt: skip
    assert set(section(folder, "nodes", "dev")) == {"a", "x"}
    assert set(section(folder, "input", "dev")) == {"i", "z"}


def test_an_environment_without_settings_of_its_own_is_a_warning(project):
    (warning,) = sources(project(), "sandbox_bob").faults
    assert (warning.id, warning.warning) == ("environment-without-settings", True)
    assert "base, sandbox" in warning.message
    assert not sources(project()).faults


def test_an_environment_has_settings_of_its_own_by_the_index_or_by_its_folder(project):
    index = {"env_config": {"dev": {"nodes_config_path": "dev.yaml"}}}
    folder = project({"settings.json": index, "dev.yaml": "", "config/prod/nodes.yaml": ""})
    assert not sources(folder, "dev").faults
    assert not sources(folder, "prod").faults


def test_two_files_for_one_section_are_a_fault(project):
    (fault,) = faults_of(project({"config/base/nodes.json": "{}"}))
    assert (fault.id, fault.exit_code) == ("two-files", 2)
    assert set(fault.looked_up) == {"config/base/nodes.yaml", "config/base/nodes.json"}


def test_every_file_that_is_missing_or_unreadable_is_listed_at_once(project):
    folder = project(
        {
            "settings.json": """{"env_config": {
  "base": {
    "nodes_config_path": "config/base/nods.yaml",
    "input_config_path": "config/base/gone/input.yaml",
    "output_config_path": "output.toml",
    "pipelines_config_path": "config/base/pipelines.yaml"},
  "Development": {
    "nodes_config_path": "dev.yaml"}}}""",
            "output.toml": "",
        },
        pipelines="p: [\n",
        global_settings="a: 1\na: 2\nb: 3\nb: 4\n",
    )
    found = faults_of(folder, "dev")
    assert {(fault.id, str(fault.place)) for fault in found} == {
        ("missing-file", "settings.json:3:26"),
        ("missing-file", "settings.json:4:26"),
        ("settings-file", "settings.json:5:27"),
        ("syntax", "config/base/pipelines.yaml:1:4"),
        ("duplicate-key", "config/base/global_settings.yaml:2:1"),
        ("duplicate-key", "config/base/global_settings.yaml:4:1"),
        ("missing-file", "settings.json:8:26"),
    }
    assert all(fault.exit_code == 2 for fault in found)
    missing = next(fault for fault in found if "nods" in fault.message)
    assert missing.nearest[0] == "nodes.yaml"
    assert missing.looked_up == (str(folder / "config/base/nods.yaml"),)
    toml = next(fault for fault in found if fault.id == "settings-file")
    assert toml.looked_up == (".yaml", ".yml", ".json", ".dsl")


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.yaml", "config/../../x.yaml", ".hidden/n.yaml", "", "link.yaml"])
def test_a_file_that_the_index_names_follows_the_path_rules(project, path):
    folder = project({"settings.json": json.dumps({"env_config": {"base": {"nodes_config_path": path}}})})
    (folder / "link.yaml").symlink_to("config/base/nodes.yaml")
    with pytest.raises(UnsafePath) as caught:
        sources(folder)
    assert caught.value.exit_code == 6
    assert str(caught.value.place) == "settings.json:1:47"


def test_a_base_path_follows_the_path_rules(project):
    with pytest.raises(UnsafePath) as caught:
        sources(project({"settings.json": '{"base_path": "../elsewhere"}'}))
    assert str(caught.value.place) == "settings.json:1:15"


def test_an_environment_s_name_cannot_lead_out_of_the_project(project):
    index = '{"env_config": {"../../outside": {}}}'
    folder = project({"inner/settings.json": index, "inner/config/readme": "", "outside/nodes.yaml": "x: {}\n"})
    with pytest.raises(ConfigurationError) as caught:
        sources(folder / "inner", "../../outside")
    assert [fault.message for fault in caught.value.faults] == ["'../../outside' cannot be the name of an environment"]


# -- bare and wrapped content ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wrapper"),
    [
        ("global_settings", "global_settings"),
        ("pipelines", "pipelines"),
        ("nodes", "nodes"),
        ("input", "input"),
        ("input", "inputs"),
        ("output", "output"),
        ("output", "outputs"),
    ],
)
def test_a_section_may_stand_bare_or_under_its_name(project, name, wrapper):
    bare = section(project(**{name: "x: {description: d}\n"}), name)
    wrapped = section(project(**{name: f"{wrapper}:\n  x: {{description: d}}\n"}), name)
    assert bare == wrapped == {"x": {"description": "d"}}


def test_bare_and_wrapped_layers_are_laid_over_each_other(project):
    folder = project({"config/dev/nodes.json": '{"nodes": {"a": {"function": "m.g"}}}'})
    assert section(folder, "nodes", "dev") == {"a": {"function": "m.g", "input": "i", "output": "o"}}


def test_a_fault_in_a_wrapped_section_has_its_own_place(project):
    folder = project(nodes="nodes:\n  a:\n    function: m.f\n    inputt: i\n")
    _, faults = Project.inspect(folder, environ={})
    assert [str(fault.place) for fault in faults] == ["config/base/nodes.yaml:4:5"]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "nodes:\n", "{}"])
def test_a_section_may_be_empty(project, text):
    assert section(project(nodes=text), "nodes") == {}


def test_only_a_mapping_is_looked_for_under_the_section_s_name(project):
    """Else it is a node of that name, and a wrong one."""
    _, (fault,) = Project.inspect(project(nodes="nodes: [a]\n"), environ={})
    assert (fault.id, str(fault.place)) == ("type", "config/base/nodes.yaml:1:8")


@pytest.mark.parametrize("text", ["- a\n", "just text\n", "5\n"])
def test_a_section_that_is_no_mapping_is_a_fault(project, text):
    (fault,) = faults_of(project(nodes=text))
    assert (str(fault.place), fault.exit_code) == ("config/base/nodes.yaml:1:1", 2)
    assert "mapping of nodes" in fault.message


def test_the_same_project_reads_equal_in_every_format(project):
    """The three formats are three spellings of one project."""
    folder = project(global_settings="layer: gold\nspark_config: {spark.sql.x: '1'}\nlist: [1, a, [2]]\n")
    data = section(folder, "global_settings")
    from tauro.config.formats import format_of

    for suffix in ("json", "dsl", "yml"):
        name = f"config/base/global_settings.{suffix}"
        (folder / "config/base/global_settings.yaml").unlink(missing_ok=True)
        (folder / name).write_text(format_of(name).dump(data))
        assert section(folder, "global_settings") == data
        (folder / name).unlink()


# -- the files of a layer ---------------------------------------------------------------------------


def files_of(folder, env="base"):
    return section_files(folder, read_index(folder), env)


def test_the_files_of_a_layer_are_told_by_section(project):
    folder = project({"config/dev/nodes.dsl": "", "config/dev/output.yml": "", "config/dev/other.yaml": ""})
    assert files_of(folder, "dev") == ({"nodes": "config/dev/nodes.dsl", "output": "config/dev/output.yml"}, {})
    assert files_of(folder, "prod") == ({}, {})


def test_a_section_with_two_files_has_none_and_a_fault_of_its_own(project):
    folder = project({"config/base/nodes.json": "{}", "config/base/nodes.dsl": "", "config/base/input.yml": ""})
    files, faults = files_of(folder)
    assert set(files) == {"pipelines", "output"}
    assert set(faults) == {"nodes", "input"}
    assert faults["nodes"].looked_up == (
        "config/base/nodes.yaml", "config/base/nodes.json", "config/base/nodes.dsl",
    )  # fmt: skip
    assert faults["nodes"].message == "Environment 'base' has 3 files for nodes"


def test_of_two_files_the_one_that_the_index_names_counts(project):
    index = {"env_config": {"base": {"nodes_config_path": "config/base/nodes.json"}}}
    folder = project({"settings.json": index, "config/base/nodes.json": "{}"})
    files, faults = files_of(folder)
    assert files["nodes"] == "config/base/nodes.json"
    assert not faults


@pytest.mark.parametrize("base", [".", "", "./", "conf", "conf/", "./conf"])
def test_files_start_at_the_base_path_however_it_is_written(project, base):
    inner = "conf/" if "conf" in base else ""
    folder = project(
        {
            "settings.json": {"base_path": base, "env_config": {"dev": {"nodes_config_path": "n.yaml"}}},
            f"{inner}n.yaml": "x: {}\n",
            f"{inner}config/dev/input.yaml": "y: {format: csv, filepath: d}\n",
        }
    )
    assert set(section(folder, "nodes", "dev")) >= {"x"}
    assert set(section(folder, "input", "dev")) >= {"y"}


def test_a_folder_that_is_named_like_a_section_s_file_is_none(project):
    folder = project({"config/dev/nodes.yaml/readme": ""})
    assert files_of(folder, "dev") == ({}, {})


# -- faults of the index ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "place", "about"),
    [
        ('{"base_pth": "."}', "1:2", "Unknown key 'base_pth'"),
        ('{"base_path": null}', "1:15", "Expected a path, found nothing"),
        ('{"base_path": ["."]}', "1:15", "Expected a path, found a list"),
        ('{"env_config": []}', "1:16", "Expected a mapping of environments, found a list"),
        ('{"env_config": null}', "1:16", "Expected a mapping of environments, found nothing"),
        ('{"env_config": {"dev": "x"}}', "1:24", "Expected a mapping of sections to files, found 'x'"),
        ('{"env_config": {"dev": {"nodes_path": "x"}}}', "1:25", "Unknown key 'nodes_path'"),
        ('{"env_config": {"dev": {"nodes_config_path": 5}}}', "1:46", "Expected a path, found 5"),
        ('{"env_config": {"a b": {}}}', "1:24", "'a b' cannot be the name of an environment"),
        ('{"env_config": {"": {}}}', "1:21", "'' cannot be the name of an environment"),
        ('{"env_config": {"dev": {}, "Development": {}}}', "1:43", "'dev' and 'Development' are one environment"),
        ('{"env_config": {"prod": {}, " prod ": {}}}', "1:39", "'prod' and ' prod ' are one environment"),
    ],
)
def test_a_fault_of_the_index_says_where_it_is(tmp_path, index, place, about):
    (tmp_path / "settings.json").write_text(index)
    with pytest.raises(ConfigurationError) as caught:
        read_index(tmp_path)
    (fault,) = caught.value.faults
    assert (fault.id, fault.exit_code, str(fault.place)) == ("settings-index", 2, f"settings.json:{place}")
    assert fault.message == about
    assert caught.value.message == "The settings index settings.json is not valid"


def test_a_base_path_that_leads_nowhere_is_told_where_it_is_written(project):
    with pytest.raises(ConfigurationError, match="There is no folder 'conf'") as caught:
        sources(project({"settings.json": '{"base_path": "conf"}'}))
    assert (caught.value.exit_code, str(caught.value.place)) == (2, "settings.json:1:15")
    assert "base_path" in caught.value.hint


def test_a_file_that_is_nearly_named_like_a_section_is_a_warning(project):
    files = {
        "config/base/node.yaml": "",
        "config/base/inputs.json": "{}",
        "config/base/readme.yaml": "",
        "config/base/nodes.txt": "",
    }
    found = {fault.message: fault for fault in sources(project(files)).faults}
    assert all((fault.id, fault.warning) == ("stray-file", True) for fault in found.values())
    assert {(message.split()[0], fault.nearest[0]) for message, fault in found.items()} == {
        ("config/base/node.yaml", "nodes"),
        ("config/base/inputs.json", "input"),
    }


# -- broken files beside sound ones -----------------------------------------------------------------


def report_of(folder, env="base"):
    """Return the ids of every fault that validation tells, warnings left out."""
    opened, faults = Project.inspect(folder, env, environ={})
    return sorted(fault.id for fault in (*faults, *check_project(opened.config)) if not fault.warning)


BREAKS = {"syntax": "x: [\n", "duplicate-key": "x: {}\nx: {}\n", "type": "- a\n"}


@pytest.mark.parametrize("kind", BREAKS)
@pytest.mark.parametrize("name", SECTIONS)
def test_a_file_that_cannot_be_read_is_one_fault_and_nothing_follows_from_it(project, name, kind):
    """In base, where all else hangs on it, and in an environment that changes what base has."""
    text = {"pipelines": "p: {}\n", "nodes": "a: {}\n", "input": "i: {}\n", "output": "o: {}\n"}.get(name, "")
    assert report_of(project({}, **{name: BREAKS[kind]})) == [kind]
    folder = project({f"config/dev/{name}.yaml": BREAKS[kind]}, **{name: text})
    assert report_of(folder, "dev") == [kind]


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_with_two_files_is_one_fault_and_nothing_follows_from_it(project, name):
    folder = project({f"config/base/{name}.yaml": "", f"config/base/{name}.json": "{}"})
    assert report_of(folder) == ["two-files"]


def test_a_file_that_cannot_be_read_does_not_hide_the_faults_of_others(project):
    folder = project(
        {"config/base/nodes.yaml": "a: [\n", "config/base/input.yaml": "i: {}\ni: {}\n"},
        global_settings="mode: lokal\nx: ${NOBODY}\n",
        pipelines="p: {nodes: [a], tags: 5, zzz: 1}\n",
        output="o: {format: xml, filepath: x}\n",
    )
    assert report_of(folder) == sorted(
        ["syntax", "duplicate-key", "type", "unknown-variable", "type", "unknown-key", "format"]
    )


def test_the_layer_below_a_broken_file_is_checked_all_the_same(project):
    folder = project({"config/dev/nodes.yaml": "a: [\n"}, nodes="a: {function: m.gone, input: i}\n")
    assert report_of(folder, "dev") == ["syntax", "unknown-function"]


def test_a_variable_that_broken_settings_may_have_is_not_unknown(project):
    text = "i: {format: csv, filepath: '${root}/x'}\n"
    assert report_of(project(input=text)) == ["unknown-variable"]
    assert report_of(project(input=text, global_settings="root: [\n")) == ["syntax"]
    folder = project({"config/dev/global_settings.yaml": "root: [\n"}, input=text, global_settings="")
    assert report_of(folder, "dev") == ["syntax"]


def test_a_path_that_a_broken_file_may_give_is_not_missing_for_the_engine_either(project):
    folder = project({"config/dev/input.yaml": "x: [\n"}, input="i: {format: csv}\n")
    opened, faults = Project.inspect(folder, "dev", environ={})
    assert [fault.id for fault in (*faults, *opened.validate())] == ["syntax"]
