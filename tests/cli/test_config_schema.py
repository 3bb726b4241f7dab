"""tauro config schema: the JSON Schema of one section or of all, on stdout as it is."""

import json

import pytest
from jsonschema import Draft7Validator

from tauro.config.discovery import SECTIONS
from tauro.config.json_schema import schemas, section_schema


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """It needs no project."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("form", [(), ("--output", "json"), ("--output", "text")], ids=" ".join)
def test_the_schema_of_a_section_is_printed_and_nothing_else(tauro, section, form):
    result = tauro("config", "schema", "--section", section, *form)
    assert (result.code, result.err) == (0, "")
    found = json.loads(result.out)
    assert found == section_schema(section)
    Draft7Validator.check_schema(found)


@pytest.mark.parametrize("form", [(), ("--output", "json")], ids=" ".join)
def test_all_schemas_are_printed_by_section(tauro, form):
    result = tauro("config", "schema", *form)
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out) == schemas()
    assert list(json.loads(result.out)) == list(SECTIONS)


def test_an_unknown_section_is_a_usage_error_that_lists_the_known_ones(tauro):
    result = tauro("config", "schema", "--section", "node")
    assert (result.code, result.out) == (3, "")
    assert all(section in result.err for section in SECTIONS)


def test_nothing_is_written_or_looked_for(tauro, nowhere):
    (nowhere / "settings_yml.json").write_text("{")
    assert tauro("config", "schema").code == 0
    assert [path.name for path in nowhere.iterdir()] == ["settings_yml.json"]


def test_a_reader_that_goes_away_is_no_error(program):
    result = program("config", "schema", "--section", "nodes")
    assert result.code == 0
    assert result.out.endswith("}\n")
