"""Whatever the files of a project hold, what comes out is a report: no other exception, and a place for every fault."""

import json
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tauro.config.formats import format_of, parse_document
from tauro.config.model import DatasetConfig, GlobalSettings, NodeConfig, PipelineConfig
from tauro.errors import TauroError
from tauro.project import Project

MODELS = {
    "global_settings": GlobalSettings,
    "pipelines": PipelineConfig,
    "nodes": NodeConfig,
    "input": DatasetConfig,
    "output": DatasetConfig,
}
NAMES = ("a", "b", "i", "o", "m.f", "m", "f", "x/y/z", "..", "", "__main__", "json", "os.path.join", "csv", "delta")
REFERENCES = ("${start_date}", "${a}", "${A:-${B}}", "${", "$${", "${a.b}", "${x.y.z}")
PECULIAR = ("yes", "today", "2025-02-30", "../x", "/")
ODD = "ab:- \n\t[]{}#&*!|>'\"%@`,?=\\.0<~\x00é\u2028"

words = st.one_of(st.sampled_from(NAMES), st.sampled_from(REFERENCES), st.sampled_from(PECULIAR), st.text(max_size=5))
values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-2, 10**20), st.floats(allow_nan=False, allow_infinity=False), words
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(words, st.just("name")), inner, max_size=3)
    ),
    max_leaves=6,
)


def sections_of(model):
    keys = st.dictionaries(st.one_of(st.sampled_from(sorted(model.known)), words), values, max_size=5)
    return keys if model is GlobalSettings else st.dictionaries(words, st.one_of(keys, values), max_size=4)


projects = st.fixed_dictionaries({}, optional={name: sections_of(model) for name, model in MODELS.items()})


@given(low=projects, high=projects, environ=st.dictionaries(st.sampled_from("aAB"), st.text(max_size=3)))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_project_of_any_shape_is_answered_with_a_report(project, low, high, environ):
    folder = project({f"config/base/{name}.yaml": None for name in MODELS})
    for env, sections in (("base", low), ("dev", high)):
        (folder / "config" / env).mkdir(parents=True, exist_ok=True)
        for name in MODELS:
            file = folder / f"config/{env}/{name}.json"
            file.unlink(missing_ok=True)
            with suppress(ValueError):  # what no JSON file can hold
                file.write_text(format_of("x.json").dump(sections.get(name, {})))
    for fault in faults_of(folder, environ):
        assert fault.message
        assert fault.exit_code in (2, 3, 5)
        json.dumps(fault.to_dict()).encode()
        assert fault.place is not None or fault.id == "no-pipelines"
        if fault.place is not None:
            line = (folder / fault.place.file).read_text().split("\n")[fault.place.line - 1]
            assert line == fault.place.text
            assert 1 <= fault.place.column <= len(line) + 1


def faults_of(folder, environ):
    try:
        opened, faults = Project.inspect(folder, "dev", environ=environ, today=date(2025, 6, 15))
    except TauroError as error:
        return error.faults or pytest.fail(f"An error without faults: {error}")
    return [*faults, *opened.validate()]


@pytest.mark.parametrize("suffix", ["yaml", "json", "dsl"])
@given(raw=st.one_of(st.binary(max_size=60), st.text(ODD, max_size=60).map(str.encode)))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_data_or_faults_with_places(suffix, raw):
    lines = raw.decode(errors="replace").split("\n")
    for mark in marks_of(raw, f"x.{suffix}"):
        assert 1 <= mark.line <= len(lines)
        assert 1 <= mark.column <= len(lines[mark.line - 1]) + 1


def marks_of(raw, name):
    """Return the place of every value, or of every fault."""
    try:
        document = parse_document(raw, name)
    except TauroError as error:
        if error.exit_code != 2 or not error.faults:
            pytest.fail(f"Neither data nor faults: {error!r}")
        return [fault.place for fault in error.faults]
    return [mark for span in document.locate(document.text).values() for mark in span if mark is not None]
