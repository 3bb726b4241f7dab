"""The rules for paths that a user hands to the program, held while the file is opened."""

import os
import socket
import stat
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from tauro.errors import ConfigurationError, SecurityError, UnsafePath
from tauro.security.paths import (
    append_beneath,
    append_in,
    check_directory,
    make_folder_beneath,
    read_beneath,
    split_relative,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user, or devices")


@pytest.fixture
def root(tmp_path):
    """A project's folder, with a file to read."""
    folder = tmp_path / "project"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "f").write_text("good")
    (folder / "f").write_text("good")
    outside = tmp_path / "outside"
    (outside / "b").mkdir(parents=True)
    (outside / "b" / "f").write_text("SECRET")
    (outside / "f").write_text("SECRET")
    return folder


@pytest.fixture(autouse=True)
def no_descriptor_is_left_open():
    before = set(Path("/proc/self/fd").iterdir())
    yield
    assert set(Path("/proc/self/fd").iterdir()) <= before


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def refused(call, *arguments):
    with pytest.raises(UnsafePath) as caught:
        call(*arguments)
    assert caught.value.exit_code == 6
    return caught.value.message


EVERYWHERE = pytest.mark.parametrize("call", [read_beneath, append_beneath, check_directory])
FILES = pytest.mark.parametrize("call", [read_beneath, append_beneath])


@pytest.mark.parametrize("name", ["f", "./f", "a/b/f", "a//b/./f"])
def test_a_plain_relative_path_is_read(root, name):
    assert read_beneath(root, name) == b"good"


@pytest.mark.parametrize(
    ("name", "parts"), [(".", ()), ("./", ()), ("a", ("a",)), ("./a//b/", ("a", "b")), ("é/x y", ("é", "x y"))]
)
def test_a_relative_path_is_split_into_its_components(name, parts):
    assert split_relative(name) == parts


@EVERYWHERE
@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("/etc/passwd", "not relative"),
        ("//etc/passwd", "not relative"),
        ("~/f", "not relative"),
        ("~root/f", "not relative"),
        ("..", "'..'"),
        ("../outside/f", "'..'"),
        ("a/../f", "'..'"),
        ("a/b/../../../outside/f", "'..'"),
        (".git/config", "hidden component '.git'"),
        ("a/.b/f", "hidden component '.b'"),
        ("a/.f", "hidden component '.f'"),
        ("...", "hidden component '...'"),
        ("", "empty"),
        ("f\0", "invalid characters"),
        ("a\0/etc/passwd", "invalid characters"),
        ("f\n", "invalid characters"),
        ("a/\r\nf", "invalid characters"),
        ("\x1b[2Jf", "invalid characters"),
        ("a\u202ef", "invalid characters"),
        ("a\\f", "invalid characters"),
        ("\udcff", "invalid characters"),
        ("x" * 300, "invalid characters or is not accessible"),
        ("f/x", "not readable or not of its kind"),
    ],
)
def test_a_path_that_breaks_a_rule_is_refused(root, call, name, about):
    message = refused(call, root, name)
    assert about in message
    assert message.isprintable()


@pytest.mark.parametrize("name", ["f" * 300 + "/f", "a/" + "x" * 300 + "/f"])
@EVERYWHERE
def test_a_name_that_is_too_long_is_refused_wherever_it_stands(root, call, name):
    refused(call, root, name)


@pytest.mark.parametrize("name", ["gone", "gone/f", "a/gone/f"])
def test_a_file_that_is_not_there_is_not_found(root, name):
    with pytest.raises(FileNotFoundError):
        read_beneath(root, name)
    with pytest.raises(FileNotFoundError):
        check_directory(root, name)


@EVERYWHERE
@pytest.mark.parametrize(
    ("link", "target", "name"),
    [
        ("f", "../outside/f", "f"),
        ("f", "a/b/f", "f"),
        ("f", "/etc/passwd", "f"),
        ("f", "gone", "f"),
        ("f", "f", "f"),
        ("a/b/f", "../../f", "a/b/f"),
        ("a/b", "../../outside/b", "a/b/f"),
        ("a", "../outside", "a/b/f"),
        ("a", ".", "a/f"),
    ],
)
def test_a_symbolic_link_at_any_component_is_refused(root, call, link, target, name):
    """Wherever it leads: out of the project, within it, nowhere or to itself."""
    path = root / link
    path.rename(root / "moved")
    path.symlink_to(target)
    assert f"symbolic link '{path.name}'" in refused(call, root, name)


def test_the_root_itself_is_trusted_as_it_is(root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    assert read_beneath(tmp_path / "link", "f") == b"good"


@FILES
@pytest.mark.parametrize("name", ["a", "a/b", "a/b/", "."])
def test_a_folder_is_no_file(root, call, name):
    refused(call, root, name)


def test_a_file_is_no_folder(root):
    refused(check_directory, root, "f")
    refused(check_directory, root, "a/b/f")
    check_directory(root, "a/b")
    check_directory(root, ".")


@FILES
def test_a_fifo_is_refused_at_once(root, call):
    os.mkfifo(root / "fifo", 0o600)
    started = time.perf_counter()
    refused(call, root, "fifo")
    assert time.perf_counter() - started < 1


def test_a_fifo_with_a_reader_is_no_log_file(root):
    os.mkfifo(root / "fifo", 0o600)
    reader = os.open(root / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert "not a regular file" in refused(append_beneath, root, "fifo")
    finally:
        os.close(reader)


@FILES
def test_a_socket_is_refused(root, call, monkeypatch):
    monkeypatch.chdir(root)  # a socket's path has a short limit
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        refused(call, root, "socket")


@as_root
@FILES
@pytest.mark.parametrize(("kind", "number"), [(stat.S_IFCHR, (1, 3)), (stat.S_IFCHR, (1, 5)), (stat.S_IFBLK, (7, 250))])
def test_a_device_is_refused(root, call, kind, number):
    try:
        os.mknod(root / "device", 0o600 | kind, os.makedev(*number))
    except PermissionError:
        pytest.skip("this machine lets not even root make devices")
    refused(call, root, "device")


@EVERYWHERE
@pytest.mark.parametrize("mode", [0o777, 0o702])
def test_a_folder_that_everybody_can_write_is_refused(root, call, mode):
    (root / "a").chmod(mode)
    assert "writable for everybody" in refused(call, root, "a/b/f" if call is not check_directory else "a/b")


@FILES
@pytest.mark.parametrize("mode", [0o666, 0o602, 0o646])
def test_a_file_that_everybody_can_write_is_refused(root, call, mode):
    (root / "f").chmod(mode)
    assert "writable for everybody" in refused(call, root, "f")


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o644, 0o664, 0o444])
def test_a_file_that_only_some_can_write_is_read(root, mode):
    (root / "f").chmod(mode)
    assert read_beneath(root, "f") == b"good"


def test_a_folder_with_the_sticky_bit_may_be_writable_for_everybody(root):
    """As /tmp is: others can add files there, and cannot replace ours."""
    (root / "a").chmod(0o1777)
    assert read_beneath(root, "a/b/f") == b"good"


@as_root
@pytest.mark.parametrize("part", ["a", "a/b", "a/b/f"])
def test_what_another_user_owns_is_refused(root, part):
    os.chown(root / part, 12345, 12345)
    for call in (read_beneath, append_beneath):
        assert "another user" in refused(call, root, "a/b/f")
    if part != "a/b/f":
        assert "another user" in refused(check_directory, root, "a/b")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_is_refused(root):
    (root / "f").chmod(0)
    refused(read_beneath, root, "f")


def test_a_file_is_read_up_to_its_limit_and_not_a_byte_more(root):
    (root / "f").write_bytes(b"x" * 1000)
    assert len(read_beneath(root, "f", max_bytes=1000)) == 1000
    with pytest.raises(ConfigurationError, match="larger than") as caught:
        read_beneath(root, "f", max_bytes=999)
    assert caught.value.exit_code == 2


def test_a_huge_sparse_file_costs_no_memory(root):
    with (root / "f").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ConfigurationError, match="8 MiB"):
        read_beneath(root, "f")


# -- races ----------------------------------------------------------------------------------------

# Another process, so that it swaps while a path is being walked and not only between two calls.
SWAP = """
import os, sys
path, aside, link = sys.argv[1:]
print("swapping", flush=True)
while True:
    os.rename(path, aside)
    os.symlink(link, path)
    os.unlink(path)
    os.rename(aside, path)
"""
REPLACE = """
import os, sys
path, _, link = sys.argv[1:]
print("swapping", flush=True)
while True:
    for make in (lambda: os.unlink(path), lambda: os.symlink(link, path)):
        try:
            make()
        except (FileNotFoundError, FileExistsError):
            pass
"""


@contextmanager
def swapping(program, path, aside, link):
    arguments = [sys.executable, "-S", "-c", program, str(path), str(aside), str(link)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        try:
            yield
            assert process.poll() is None, "it must have swapped until the end"
        finally:
            process.kill()


@pytest.mark.parametrize(("swapped", "target"), [("a/b", "outside/b"), ("a", "outside"), ("a/b/f", "outside/b/f")])
def test_a_component_that_is_swapped_for_a_link_meanwhile_leaks_nothing(root, tmp_path, swapped, target):
    """Of 20,000 opens many meet the link; none follows it."""
    seen = Counter()
    with swapping(SWAP, root / swapped, root / "aside", tmp_path / target):
        deadline = time.monotonic() + 20
        while sum(seen.values()) < 20_000 or not (seen[b"good"] and seen[UnsafePath]):
            assert time.monotonic() < deadline, f"the swaps and the opens never met: {seen}"
            try:
                seen[read_beneath(root, "a/b/f")] += 1
            except (UnsafePath, FileNotFoundError) as error:
                seen[type(error)] += 1
    assert set(seen) <= {b"good", UnsafePath, FileNotFoundError}


def test_a_log_file_that_is_swapped_for_a_link_meanwhile_is_never_written_through_it(root, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("")
    written = refusals = 0
    with swapping(REPLACE, root / "log", "", victim):
        deadline = time.monotonic() + 20
        while written + refusals < 3_000 or not (written and refusals):
            assert time.monotonic() < deadline, f"the swaps and the opens never met: {written}, {refusals}"
            try:
                with append_beneath(root, "log") as file:
                    file.write("x")
                    written += 1
            except UnsafePath:
                refusals += 1
    assert victim.read_text() == ""


# -- appending ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("open_umask")
def test_a_log_file_and_its_folders_are_made_for_their_owner_only(root):
    with append_beneath(root, "logs/deep/tauro.log") as file:
        file.write("é\n")
    modes = [stat.S_IMODE((root / name).stat().st_mode) for name in ("logs", "logs/deep", "logs/deep/tauro.log")]
    assert modes == [0o700, 0o700, 0o600]


def test_a_log_file_is_appended_to_line_by_line(root):
    with append_beneath(root, "log") as first, append_beneath(root, "log") as second:
        first.write("one\n")
        second.write("two\n")
        first.write("three\n")
        assert (root / "log").read_text(encoding="utf-8") == "one\ntwo\nthree\n"
    with append_beneath(root, "./log") as file:
        file.write("four")
    assert (root / "log").read_text().endswith("three\nfour")


def test_folders_that_are_there_keep_their_mode(root):
    (root / "a").chmod(0o755)
    with append_beneath(root, "a/log"):
        pass
    assert stat.S_IMODE((root / "a").stat().st_mode) == 0o755


def test_a_refusal_to_append_changes_nothing(root):
    (root / "f").chmod(0o666)
    refused(append_beneath, root, "f")
    refused(append_beneath, root, "../log")
    assert (root / "f").read_text() == "good"
    assert not (root.parent / "log").exists()


def test_the_error_of_a_path_is_a_security_error_with_a_hint(root):
    with pytest.raises(SecurityError) as caught:
        read_beneath(root, "../x")
    assert caught.value.code == "SECURITY_ERROR"
    assert "relative path" in caught.value.hint


# -- appending in a folder that is held by its descriptor -------------------------------------------


@contextmanager
def appending(root, name):
    folder, part = make_folder_beneath(root, name)
    try:
        yield folder, append_in(folder, part, name)
    finally:
        os.close(folder)


@pytest.mark.usefixtures("open_umask")
def test_a_file_of_a_held_folder_is_made_for_its_owner_only(root):
    with appending(root, "logs/deep/x.log") as (_, file):
        os.write(file, b"one\n")
        os.close(file)
    modes = [stat.S_IMODE((root / name).stat().st_mode) for name in ("logs", "logs/deep", "logs/deep/x.log")]
    assert modes == [0o700, 0o700, 0o600]


def test_a_file_of_a_held_folder_is_appended_to_and_can_be_read(root):
    with appending(root, "f") as (_, file):
        os.write(file, b" and more")
        assert os.pread(file, 100, 0) == b"good and more"
        os.close(file)


def test_a_held_folder_stays_the_same_whatever_its_path_leads_to(root, tmp_path):
    folder, part = make_folder_beneath(root, "a/x.log")
    (root / "a").rename(root / "b")
    (root / "a").symlink_to(tmp_path)
    os.close(append_in(folder, part, "a/x.log"))
    os.close(folder)
    assert (root / "b/x.log").exists()
    assert not (tmp_path / "x.log").exists()


@pytest.mark.parametrize("name", ["../x", "/x", ".x", "a/../../x", ".", "", "a\nb"])
def test_the_folder_of_a_refused_path_is_not_opened(root, name):
    refused(make_folder_beneath, root, name)


def test_nothing_but_a_trusted_file_is_appended_to_in_a_held_folder(root):
    (root / "link").symlink_to("f")
    (root / "open").write_text("x")
    (root / "open").chmod(0o666)
    os.mkfifo(root / "fifo")
    folder, _ = make_folder_beneath(root, "x")
    for name in ("link", "open", "fifo", "a"):
        refused(append_in, folder, name, name)
    os.close(folder)
