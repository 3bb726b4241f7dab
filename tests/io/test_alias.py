"""Other paths to folders whose own the embedded engine misreads."""

import stat

import pytest

from tauro.errors import SecurityError, Unsupported
from tauro.io.alias import plain_path


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Give temporary files a folder of their own."""

    def use(name="tmp"):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(folder))
        return folder

    return use


def test_a_path_of_plain_letters_is_itself(temporary, tmp_path):
    folder = temporary()
    assert plain_path(tmp_path / "lake" / "d=2025-01-01") == tmp_path / "lake" / "d=2025-01-01"
    assert list(folder.iterdir()) == []


def test_any_other_path_is_reached_through_a_link_that_all_processes_share(temporary, tmp_path):
    folder = temporary()
    target = tmp_path / "für alle"
    target.mkdir()
    link = plain_path(target)
    assert link == plain_path(target)
    assert link.resolve() == target.resolve()
    assert str(link).isascii()
    assert " " not in str(link)
    assert plain_path(tmp_path / "für jeden") != link
    (home,) = folder.iterdir()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_folder_of_links_that_is_a_link_itself_is_refused(temporary, tmp_path):
    folder = temporary()
    (tmp_path / "elsewhere").mkdir()
    home = plain_path(tmp_path / "ü").parent
    (home / next(home.iterdir())).unlink()
    home.rmdir()
    (folder / home.name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SecurityError):
        plain_path(tmp_path / "ü")


def test_where_temporary_files_have_such_a_path_too_the_user_is_told_what_to_set(temporary, tmp_path):
    temporary("with blank")
    with pytest.raises(Unsupported, match="misreads the path") as caught:
        plain_path(tmp_path / "ü")
    assert "TMPDIR" in caught.value.hint
