"""Hostile files: refused with exit code 2 and a place, in no time and without harm to the interpreter."""

import re
import time

import pytest

from tauro.config.document import SyntaxFaults
from tauro.config.formats import parse_document
from tauro.config.loading import read_sources

# The promise is 0.2 s on an idle machine; a test must hold on a busy one.
LONGEST = 1.0

ALIAS_BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)
MERGE_BOMB = "a0: &a0 {k: 1}\n" + "".join(
    f"a{level}: &a{level} {{<<: [{','.join([f'*a{level - 1}'] * 10)}], k{level}: 1}}\n" for level in range(1, 60)
)
WIDE_MERGE_BOMB = (
    "a: &a {" + ",".join(f"k{number}: 1" for number in range(2000)) + "}\n"
    "b: [" + ",".join(["{<<: [" + ",".join(["*a"] * 20) + "]}"] * 100) + "]\n"
)

YAML = {
    "200 kB of '['": "[" * 200_000,
    "100,000 mappings": "{a: " * 100_000,
    "100,000 dashes": "- " * 100_000,
    "100,000 question marks": "? " * 100_000,
    "3,000 levels by indentation": "".join(" " * level + "a:\n" for level in range(3_000)),
    "one level too deep": "[" * 101 + "]" * 101,
    "alias bomb": ALIAS_BOMB,
    "merge key bomb": MERGE_BOMB,
    "wide merge key bomb": WIDE_MERGE_BOMB,
    "a plain scalar of 10 MB": "a: " + "x" * 10_000_000,
    "a quoted scalar of 10 MB": 'a: "' + "x" * 10_000_000 + '"',
    "a block scalar of 10 MB": "a: |\n  " + "x" * 10_000_000,
    "a key of 10 MB": "x" * 10_000_000 + ": 1",
    "an alias of 10 MB": "*" + "x" * 10_000_000,
    "a tag of 10 MB": "!" + "x" * 10_000_000 + " a",
    "100,000 equal keys": "a: 1\n" * 100_000,
    "a Python object": "a: !!python/object/apply:os.system ['touch /tmp/tauro-was-here']",
}
JSON = {
    "200 kB of '['": "[" * 200_000,
    "100,000 mappings": '{"a":' * 100_000,
    "20,000 levels, closed": "[" * 20_000 + "]" * 20_000,
    "one level too deep": "[" * 101 + "]" * 101,
    "an integer of 1 MB": "1" * 1_000_000,
    "NaN": "[NaN]",
    "20,000 equal keys": "{" + ",".join(['"a": 1'] * 20_000) + "}",
    "5,000 mappings of equal keys": "{" + ",\n".join(['"a": {"b": 1, "b": 2}'] * 5_000) + "}",
    "an open string of 1 MB": '{"a": "' + "\\\\" * 500_000,
}
DSL = {
    "200 kB of '['": "[" * 200_000,
    "a list 200,000 deep": "a = " + "[" * 200_000,
    "a section of 5,000 parts": "[" + "a." * 5_000 + "a]",
    "100,000 wrong lines": "x\n" * 100_000,
    "an open string of 4 MB": 'a = "' + "\\" * 4_000_000,
    "a line of NUL": "a = " + "\0" * 1_000_000,
}
BYTES = {
    "invalid UTF-8": (b"a: 1\nb: \xff\xfe\n", "x.{}:2:4"),
    "a cut character": ("a: é".encode()[:-1], "x.{}:1:4"),
    "an overlong encoding": (b"a: \xc0\x80", "x.{}:1:4"),
    "a surrogate in UTF-8": (b"a: \xed\xa0\x80", "x.{}:1:4"),
    "a byte order mark": (b"\xef\xbb\xbfa: 1", "x.{}:1:1"),
    "UTF-16": ("a: 1".encode("utf-16"), "x.{}:1:1"),
}
# What one line more or less of is no attack; files of this size are refused unread.
LARGE = {
    "8 MB of lines": ("nodes.yaml", "a: 1\n" * 1_600_000),
    "8 MB of comments": ("nodes.yaml", "#\n" * 4_000_000),
    "8 MB of items": ("nodes.yaml", "a: [" + "1," * 4_000_000),
    "8 MB of braces": ("nodes.json", "[" + "{}," * 2_700_000),
    "8 MB of sections": ("nodes.dsl", "[a]\n" * 2_000_000),
}
FILES = {
    **{f"{kind}: {what}": (f"nodes.{kind}", text.encode())
       for kind, texts in (("yaml", YAML), ("json", JSON), ("dsl", DSL)) for what, text in texts.items()},
    **{f"index: {what}": ("settings.json", text.encode()) for what, text in JSON.items()},
    **{f"large: {what}": (name, text.encode()) for what, (name, text) in LARGE.items()},
    **{f"yaml: {what}": ("nodes.yaml", raw) for what, (raw, _) in BYTES.items()},
}  # fmt: skip


def refusal(raw, name):
    """Return the faults of a file that must be refused quickly."""
    started = time.process_time()
    with pytest.raises(SyntaxFaults) as caught:
        parse_document(raw, name)
    assert time.process_time() - started < LONGEST
    assert caught.value.exit_code == 2
    return caught.value.faults


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param(f"x.{kind}", text, id=f"{kind}: {what}")
        for kind, texts in (("yaml", YAML), ("json", JSON), ("dsl", DSL))
        for what, text in texts.items()
    ],
)
def test_hostile_text_is_refused_quickly_with_a_place(name, text):
    faults = refusal(text.encode(), name)
    assert 1 <= len(faults) <= 100
    for fault in faults:
        assert fault.exit_code == 2
        assert fault.place.file == name
        assert fault.place.line >= 1
        assert fault.place.column >= 1
        assert len(fault.message) < 300


@pytest.mark.parametrize("suffix", ["yaml", "json", "dsl"])
@pytest.mark.parametrize("what", BYTES)
def test_bytes_that_are_no_utf_8_are_refused_with_a_place(what, suffix):
    raw, place = BYTES[what]
    (fault,) = refusal(raw, f"x.{suffix}")
    assert str(fault.place) == place.format(suffix)
    assert "UTF-8" in fault.hint


@pytest.mark.parametrize(("suffix", "column"), [("yaml", 101), ("json", 101), ("dsl", 105)])
def test_the_place_of_too_deep_nesting_is_where_it_becomes_too_deep(suffix, column):
    start = "a = " if suffix == "dsl" else ""
    (fault,) = refusal((start + "[" * 150 + "]" * 150).encode(), f"x.{suffix}")
    assert str(fault.place) == f"x.{suffix}:1:{column}"


def test_bounds_leave_room_for_real_files():
    """An anchor used a thousand times and a text of half a megabyte are no attack."""
    text = "d: &d {a: 1, b: 2, c: [1, 2, 3]}\n" + "".join(f"n{i}: {{<<: *d, x: {i}}}\n" for i in range(1_000))
    data = parse_document(text.encode(), "a.yaml").data
    assert data["n999"] == {"a": 1, "b": 2, "c": [1, 2, 3], "x": 999}
    assert len(parse_document(("a: " + "x" * 500_000).encode(), "a.yaml").data["a"]) == 500_000


@pytest.mark.parametrize("what", FILES)
def test_the_program_refuses_hostile_files_in_no_time_with_little_memory(tmp_path, measured, what):
    name, raw = FILES[what]
    folder = tmp_path / "config/base"
    folder.mkdir(parents=True)
    (tmp_path / "settings.json").write_text("{}")
    (tmp_path / name if name == "settings.json" else folder / name).write_bytes(raw)
    done = measured("config", "validate", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: CONFIGURATION_ERROR: ")
    assert re.search(rf"{name}:\d+:\d+", done.err) or "8 MiB" in done.err
    assert "Traceback" not in done.err
    assert len(done.err) < 100_000
    assert done.seconds < LONGEST
    assert done.memory < 256 * 1024
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == sorted({"settings.json", name})


def test_a_settings_file_of_10_mb_is_refused_with_exit_code_2_and_a_place(tmp_path):
    (tmp_path / "settings.json").write_text('{"env_config": {"base": {"nodes_config_path": "nodes.yaml"}}}')
    (tmp_path / "nodes.yaml").write_text("a: " + "x" * 10_000_000)
    started = time.process_time()
    (fault,) = read_sources(tmp_path, "base").faults
    assert time.process_time() - started < LONGEST
    assert fault.exit_code == 2
    assert "8 MiB" in fault.message
    assert str(fault.place) == "settings.json:1:47"
