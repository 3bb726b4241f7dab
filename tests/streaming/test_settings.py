"""The settings of streams: a Python file in either shape, by the rules for paths, or a settings index."""

from datetime import date

import pytest

from tauro.config.loading import resolve
from tauro.errors import ConfigurationError, SettingsNotFound, UnsafePath, ValidationError
from tauro.streaming.settings import read_settings

SECTIONS = """\
import os
from helpers import FOLDER

global_settings = {"checkpoints_base": FOLDER}
pipelines = {"p": {"type": "streaming", "nodes": ["a"]}}
nodes = {"a": {"function": "m.f", "input": "i", "output": "o"}}
input = {"i": {"format": "rate", "options": {"rowsPerSecond": 5}}}
output = {"o": {"format": "parquet", "filepath": "data/${env}/o"}}
"""
ORIGINAL = """\
config = {
    "global_settings": {"checkpoints_base": "data/c"},
    "pipelines_config": {"p": {"type": "streaming", "nodes": ["a"]}},
    "nodes_config": {
        "a": {
            "input": {
                "format": "kafka",
                "options": {"kafka.bootstrap.servers": "b:9092", "subscribe": "events"},
                "watermark": {"column": "timestamp", "delay": "1 minute"},
            },
            "output": {"format": "delta", "path": "data/o", "write_mod": "append"},
            "streaming": {"output_mode": "append"},
        },
    },
}
"""


@pytest.fixture
def settings(tmp_path):
    """Write a Python file of settings, and return what it says and its faults."""

    def read(text, env="base", name="config/streaming.py"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / "helpers.py").write_text("FOLDER = 'data/c'\n")
        return resolve(read_settings(tmp_path, name, env), environ={}, today=date(2025, 1, 1))

    return read


def errors(faults):
    return [fault for fault in faults if not fault.warning]


def test_five_mappings_named_like_the_sections_are_a_configuration(settings):
    config, faults = settings(SECTIONS, "dev")
    assert errors(faults) == []
    assert config.env == "dev"
    assert config.settings.checkpoints_base == "data/c"  # of the project's own code
    assert config.nodes["a"].inputs == ("i",)
    assert config.inputs["i"].options == {"rowsPerSecond": 5}
    assert config.outputs["o"].filepath == "data/dev/o"


def test_the_original_s_single_mapping_may_describe_datasets_where_nodes_name_them(settings):
    config, faults = settings(ORIGINAL)
    assert config.nodes["a"].inputs == ("a_input",)
    assert config.nodes["a"].outputs == ("a_output",)
    assert config.inputs["a_input"].format == "kafka"
    assert config.outputs["a_output"].filepath == "data/o"
    assert config.nodes["a"].streaming.watermark.column == "timestamp"
    (fault,) = errors(faults)
    assert (fault.id, fault.nearest[0]) == ("unknown-key", "write_mode")
    assert str(fault.place) == "config/streaming.py:11:61"


def test_a_value_of_the_file_has_its_place_in_it(settings):
    _, faults = settings(SECTIONS.replace('"type": "streaming"', '"type": "streeming"'))
    (fault,) = errors(faults)
    assert str(fault.place) == "config/streaming.py:5:28"
    assert fault.nearest == ("streaming",)


def test_the_file_is_executed_once(settings, tmp_path):
    settings(SECTIONS + f"\nwith open({str(tmp_path / 'count')!r}, 'a') as file:\n    file.write('x')\n")
    assert (tmp_path / "count").read_text() == "x"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("pipelines = {\n", "config/streaming.py:1:13", "is no Python"),
        ("x = 1\nx / 0\n", "config/streaming.py:2:1", "ZeroDivisionError"),
        ("import nowhere_at_all\n", "config/streaming.py:1:1", "ModuleNotFoundError"),
        ("pipelines = 5\n", "config/streaming.py:1:13", "'pipelines' must be a mapping, found 5"),
        ("pipelines = {}\nnodes = {'a': {'function': print}}\n", None, "nodes.a.function is a builtin"),
        ("x = 1\n", None, "defines no pipelines"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_and_where(settings, text, place, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        settings(text)
    assert place is None or str(caught.value.place) == place


def test_an_unknown_key_of_the_single_mapping_is_a_fault_with_the_nearest_name(settings):
    with pytest.raises(ConfigurationError) as caught:
        settings('config = {"pipelines_config": {}, "node_config": {}}\n')
    (fault,) = caught.value.faults
    assert fault.nearest[0] == "nodes_config"
    assert str(fault.place) == "config/streaming.py:1:35"


def test_the_rules_for_paths_hold_before_anything_is_executed(settings, tmp_path):
    settings(SECTIONS)
    mark = tmp_path / "executed"
    (tmp_path / "config" / "bad.py").write_text(f"open({str(mark)!r}, 'w')\n")
    (tmp_path / "config" / "bad.py").chmod(0o666)
    (tmp_path / "config" / "link.py").symlink_to("streaming.py")
    names = ("config/bad.py", "config/link.py", "/etc/x.py", "../x.py", ".hidden/x.py", "config/../x.py")
    for name in names:
        with pytest.raises(UnsafePath):
            read_settings(tmp_path, name, "base")
    assert not mark.exists()


def test_a_settings_index_is_read_as_ever(tmp_path):
    (tmp_path / "config" / "base").mkdir(parents=True)
    (tmp_path / "settings.json").write_text("{}")
    (tmp_path / "config" / "base" / "pipelines.yaml").write_text("p: {type: streaming, nodes: [a]}\n")
    config, _ = resolve(read_settings(tmp_path, "settings.json", "base"), environ={}, today=date(2025, 1, 1))
    assert config.pipelines["p"].nodes == ("a",)
    (tmp_path / "settings_yml.json").write_text("{}")
    with pytest.raises(ValidationError, match="stands before"):
        read_settings(tmp_path, "settings.json", "base")


@pytest.mark.parametrize("name", ["config/streeming.py", "config/settings.json"])
def test_a_file_that_is_not_there_names_those_that_are(settings, tmp_path, name):
    settings(SECTIONS)
    with pytest.raises(SettingsNotFound) as caught:
        read_settings(tmp_path, name, "base")
    assert caught.value.exit_code == 2
    assert name.endswith(".json") or caught.value.details.nearest == ("streaming.py",)


def test_a_file_of_another_kind_is_no_settings(tmp_path):
    with pytest.raises(ValidationError, match="no settings of streams"):
        read_settings(tmp_path, "config/base/pipelines.yaml", "base")


def test_secrets_of_the_file_are_hidden(settings):
    text = SECTIONS.replace('{"rowsPerSecond": 5}', '{"password": "hunter2hunter2"}')
    config, _ = settings(text)
    assert "hunter2" not in config.redact("it is hunter2hunter2")
