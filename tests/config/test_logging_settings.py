"""global_settings.logging: level and format of the log file."""

import pytest

from tauro.config.json_schema import section_schema
from tauro.project import Project


@pytest.fixture
def inspect(project):
    def run(text, environ=None):
        opened, faults = Project.inspect(project(global_settings=text), environ=environ or {})
        return opened.config.settings.logging, faults

    return run


@pytest.mark.parametrize(
    ("text", "level", "form"),
    [
        ("layer: x", "INFO", "text"),
        ("logging: {}", "INFO", "text"),
        ("logging: {level: DEBUG}", "DEBUG", "text"),
        ("logging: {level: warning, format: JSON}", "WARNING", "json"),
        ("logging: {level: '${LEVEL}'}", "ERROR", "text"),
        ("logging:\n  format: Text\n  level: Critical", "CRITICAL", "text"),
    ],
)
def test_level_and_format_are_taken_in_any_case_of_letters(inspect, text, level, form):
    found, faults = inspect(text + "\n", {"LEVEL": "error"})
    assert (found.level, found.format, list(faults)) == (level, form, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "logging: {level: X}",
            "logging.level: Expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL; found 'X'",
        ),
        ("logging: {level: 10}", "logging.level: Expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL; found 10"),
        ("logging: {level: off}", "logging.level: Expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL; found 'off'"),
        ("logging: {format: xml}", "logging.format: Expected one of text, json; found 'xml'"),
        ("logging: DEBUG", "logging: Expected a mapping, found 'DEBUG'"),
        ("logging: [DEBUG]", "logging: Expected a mapping, found a list"),
    ],
)
def test_anything_else_is_refused_with_the_words_that_are_valid(inspect, text, message):
    _, (fault,) = inspect(text + "\n")
    assert (fault.id, fault.exit_code, fault.message) == ("type", 3, message)
    assert str(fault.place).startswith("config/base/global_settings.yaml:1:")


def test_each_fault_has_its_own_place_and_its_nearest_name(inspect):
    found, faults = inspect("logging:\n  levl: DEBUG\n  format: jason\n")
    assert [(fault.id, str(fault.place), fault.nearest) for fault in faults] == [
        ("unknown-key", "config/base/global_settings.yaml:2:3", ("level",)),
        ("type", "config/base/global_settings.yaml:3:11", ("json",)),
    ]
    assert (found.level, found.format) == ("INFO", "text")


def test_an_environment_changes_one_of_the_two(project):
    folder = project(global_settings="logging: {level: DEBUG, format: json}\n")
    (folder / "config/dev").mkdir()
    (folder / "config/dev/global_settings.yaml").write_text("logging: {level: ERROR}\n")
    found = Project.open(folder, "dev", environ={}).config.settings.logging
    assert (found.level, found.format) == ("ERROR", "json")


def test_editors_are_offered_the_keys_and_their_words():
    schema = section_schema("global_settings")["definitions"]["content"]["properties"]["logging"]
    (group, *_) = schema["anyOf"]
    assert set(group["properties"]) == {"level", "format"}
    assert group["additionalProperties"] is False
    assert "WARNING" in str(group["properties"]["level"])
