"""Files that a user names, written whole or not at all, by the rules for paths."""

import os
import stat

import pytest

from tauro.errors import UnsafePath
from tauro.security.replacing import replacing_beneath


def test_what_is_there_stays_until_the_new_text_is_written_whole(tmp_path):
    file = tmp_path / "out" / "page.html"
    with replacing_beneath(tmp_path, "out/page.html") as write:
        write("first ü \udc80")
    assert file.read_text() == "first ü \\udc80"
    with replacing_beneath(tmp_path, "out/page.html") as write:
        assert file.read_text() == "first ü \\udc80"
        write("second")
    assert file.read_text() == "second"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["page.html"]


def test_where_nothing_is_written_nothing_is_left(tmp_path):
    (tmp_path / "page.html").write_text("old")
    with pytest.raises(RuntimeError), replacing_beneath(tmp_path, "page.html"):
        raise RuntimeError
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("page.html", "old")]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("/tmp/page.html", "not relative"),
        ("../page.html", "leaves its folder"),
        (".hidden/page.html", "hidden component"),
        ("link", "symbolic link"),
        ("linked/page.html", "symbolic link"),
        ("folder", "not a regular file"),
        ("open", "writable for everybody"),
        (".", "names a folder"),
        ("x" * 300, "invalid characters or is not accessible|not readable"),
    ],
)
def test_a_path_that_the_rules_forbid_is_refused_before_anything_is_done(tmp_path, name, says):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    (tmp_path / "linked").symlink_to("folder")
    (tmp_path / "open").touch()
    (tmp_path / "open").chmod(0o666)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UnsafePath, match=says), replacing_beneath(tmp_path, name):
        pytest.fail("it was opened")
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_takes_no_files_is_told_of_at_once(tmp_path, monkeypatch):
    real = os.open

    def full(path, flags, *args, **more):
        if str(path).endswith(".draft"):
            raise OSError(28, "No space left on device")
        return real(path, flags, *args, **more)

    monkeypatch.setattr(os, "open", full)
    with (
        pytest.raises(UnsafePath, match=r"takes no files \(No space left on device\): page.html"),
        replacing_beneath(tmp_path, "page.html"),
    ):
        pytest.fail("it was opened")
