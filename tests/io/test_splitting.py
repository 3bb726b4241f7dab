"""CSV files are read by lines only where every row is one."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauro.io import splitting

ROW = "1,a,2.5\n"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(splitting, "SMALLEST", 0)


def are_lines(folder, *texts, **options):
    files = [folder / f"{number}.csv" for number, _ in enumerate(texts)]
    for file, text in zip(files, texts, strict=True):
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return splitting.are_lines(files, options)


@pytest.mark.parametrize(
    "text",
    [ROW, 'a,"b, c"\n', '"a ""b"" c"\n', "é\n\n\nx", '5" x 3"\n', "a\n" * 5, "", '""\n'],
)
def test_files_whose_rows_are_lines_are_found(tmp_path, text):
    assert are_lines(tmp_path, ROW, ROW + text)


@pytest.mark.parametrize(
    "text",
    ['"a\nb"\n', '"a\n', 'a"\nb"\n', "a\r\nb\r\n", "a\rb\n", "a\n  \nb\n", "  \na\n", "a\n\tb\n", b"\xef\xbb\xbfa\n"],
)
def test_files_whose_rows_may_be_others_are_found(tmp_path, text):
    assert not are_lines(tmp_path, ROW, text)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (ROW, {"encoding": "UTF-16"}),
        (ROW, {"lineSep": ";"}),
        ("'a\nb'\n", {"quote": "'"}),
        (ROW, {"quote": ""}),
        ('"a\\"\n"\n', {"escape": "\\"}),
    ],
)
def test_options_that_say_otherwise_are_heeded(tmp_path, text, options):
    assert not are_lines(tmp_path, text, **options)


def test_an_escape_does_not_matter_where_nothing_is_quoted(tmp_path):
    assert are_lines(tmp_path, ROW, escape="\\")


def test_a_packed_file_and_one_that_is_small_are_not_looked_at(tmp_path, monkeypatch):
    (tmp_path / "a.csv.gz").write_bytes(b"a\n")
    assert not splitting.are_lines([tmp_path / "a.csv.gz"], {})
    monkeypatch.setattr(splitting, "SMALLEST", 1 << 20)
    assert not are_lines(tmp_path, ROW)


@given(text=st.text('a,"\n ', max_size=60), chunk=st.integers(1, 7))
def test_what_is_taken_for_lines_has_the_same_rows_line_by_line(tmp_path_factory, text, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "_CHUNK", chunk)
        if are_lines(tmp_path_factory.mktemp("csv"), text):
            whole = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
            assert whole == [row for line in text.split("\n") if line for row in csv.reader([line])]
