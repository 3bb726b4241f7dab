"""The program's own folders and files: for their owner only, under any umask."""

import os
import stat

import pytest

from tauro.errors import SecurityError
from tauro.security.private import open_private, private_directory, replace_private

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=lambda mask: f"umask {mask:03o}")
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_a_private_folder_is_made_with_all_above_it_for_its_owner_only(tmp_path):
    """Who can write in a folder can put another one in the place of what is in it."""
    path = tmp_path / "state" / "of" / "tauro"
    assert private_directory(path) == path
    assert [mode(folder) for folder in (tmp_path / "state", tmp_path / "state/of", path)] == [0o700] * 3


def test_folders_that_are_there_keep_their_mode_but_the_private_one(tmp_path):
    (tmp_path / "shared").mkdir(mode=0o755)
    (tmp_path / "shared" / "mine").mkdir(mode=0o755)
    (tmp_path / "shared").chmod(0o755)
    private_directory(tmp_path / "shared" / "mine")
    assert (mode(tmp_path / "shared"), mode(tmp_path / "shared" / "mine")) == (0o755, 0o700)


def test_a_private_folder_is_closed_to_others_when_it_was_open(tmp_path):
    path = tmp_path / "state"
    path.mkdir()
    path.chmod(0o777)
    private_directory(path)
    assert mode(path) == 0o700


def test_asking_twice_is_fine_and_keeps_what_is_inside(tmp_path):
    path = private_directory(tmp_path / "state")
    (path / "x").write_text("kept")
    assert (private_directory(path) / "x").read_text() == "kept"


@pytest.mark.parametrize("kind", ["file", "link to a folder", "dangling link", "below a file"])
def test_what_is_no_folder_of_ours_is_a_security_error(tmp_path, kind):
    path = tmp_path / "state"
    (tmp_path / "other").mkdir()
    if kind == "file":
        path.write_text("")
    elif kind == "link to a folder":
        path.symlink_to("other")
    elif kind == "dangling link":
        path.symlink_to("gone")
    else:
        (tmp_path / "plain").write_text("")
        path = tmp_path / "plain" / "state"
    with pytest.raises(SecurityError) as caught:
        private_directory(path)
    assert caught.value.exit_code == 6
    assert "TAURO_STATE_DIR" in caught.value.hint


@as_root
def test_another_user_s_folder_is_a_security_error(tmp_path):
    path = tmp_path / "state"
    path.mkdir(mode=0o777)
    os.chown(path, 12345, 12345)
    before = mode(path)
    with pytest.raises(SecurityError, match="another user"):
        private_directory(path)
    assert mode(path) == before


@pytest.mark.usefixtures("umask")
def test_a_private_file_is_made_for_its_owner_only(tmp_path):
    with open_private(tmp_path / "f") as file:
        file.write("é")
    assert (tmp_path / "f").read_text(encoding="utf-8") == "é"
    assert mode(tmp_path / "f") == 0o600


@pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
def test_a_private_file_is_never_opened_where_something_is(tmp_path, kind):
    path, other = tmp_path / "f", tmp_path / "other"
    other.write_text("untouched")
    if kind == "file":
        path.write_text("untouched")
    else:
        path.symlink_to(other if kind == "link" else "gone")
    with pytest.raises(FileExistsError):
        open_private(path)
    assert other.read_text() == "untouched"
    assert not (tmp_path / "gone").exists()


@pytest.mark.usefixtures("umask")
def test_replacing_leaves_the_whole_text_and_nothing_beside_it(tmp_path):
    path = tmp_path / "f"
    for text in ("one", "zwei: ü\n" * 1000, ""):
        replace_private(path, text)
        assert path.read_text(encoding="utf-8") == text
        assert mode(path) == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["f"]


def test_replacing_a_link_replaces_the_link_and_not_what_it_leads_to(tmp_path):
    (tmp_path / "other").write_text("untouched")
    (tmp_path / "f").symlink_to("other")
    replace_private(tmp_path / "f", "new")
    assert not (tmp_path / "f").is_symlink()
    assert (tmp_path / "other").read_text() == "untouched"


def test_a_draft_that_a_crash_has_left_is_no_obstacle(tmp_path):
    (tmp_path / f"f.{os.getpid()}.draft").write_text("half")
    replace_private(tmp_path / "f", "whole")
    assert (tmp_path / "f").read_text() == "whole"


def test_an_open_reader_keeps_the_text_that_it_has_opened(tmp_path):
    replace_private(tmp_path / "f", "old")
    with (tmp_path / "f").open() as file:
        replace_private(tmp_path / "f", "new")
        assert file.read() == "old"
    assert (tmp_path / "f").read_text() == "new"
