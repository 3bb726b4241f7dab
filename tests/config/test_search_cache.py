"""What a search has found is remembered for five minutes, never longer than it is true, and never trusted blindly."""

import json
import multiprocessing
import os
import stat
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauro.config import search_cache
from tauro.config.search import Tree, scan
from tauro.config.search_cache import SECONDS, SearchCache, user_cache
from tauro.errors import ExecutionError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")


class Clock:
    """A time that tests set. It starts late enough for what was just made to have settled."""

    def __init__(self):
        self.time = time.time() + 10

    def __call__(self):
        return self.time


@pytest.fixture
def base(tmp_path):
    for file in ("a/settings.json", "b/c/tauro.json", "b/notes.txt"):
        (tmp_path / "base" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "base" / file).write_text("{}")
    return tmp_path / "base"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(tmp_path, clock):
    return SearchCache(tmp_path / "memory", clock)


@pytest.fixture
def scans(monkeypatch):
    """The folders that were searched in truth."""
    found = []

    def counted(base):
        found.append(base)
        return scan(base)

    monkeypatch.setattr(search_cache, "scan", counted)
    return found


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


# -- remembered -----------------------------------------------------------------------------------


def test_a_second_search_is_answered_from_memory(cache, base, scans):
    first = cache.scan(base)
    assert cache.scan(base) == first == scan(base)
    assert scans == [base]


def test_the_memory_is_one_for_all_processes_of_a_user(cache, base, scans):
    cache.scan(base)
    SearchCache(cache.folder, cache.now).scan(base)
    assert len(scans) == 1


def test_each_folder_is_remembered_for_itself(cache, base, scans):
    assert cache.scan(base).indexes == ("a/settings.json", "b/c/tauro.json")
    assert cache.scan(base / "a").indexes == ("settings.json",)
    assert cache.scan(base).indexes == ("a/settings.json", "b/c/tauro.json")
    assert len(scans) == 2


def test_a_relative_folder_is_remembered_by_its_whole_path(cache, base, scans, monkeypatch):
    monkeypatch.chdir(base)
    found = cache.scan(base)
    assert cache.scan(base.relative_to(base)) == found
    monkeypatch.chdir(base / "a")
    assert cache.scan(base.relative_to(base)).indexes == ("settings.json",)
    assert len(scans) == 2


def test_a_search_that_ended_at_its_bounds_is_remembered_as_such(cache, base, scans, monkeypatch):
    monkeypatch.setattr("tauro.config.search.MAX_FOLDERS", 2)
    assert not cache.scan(base).complete
    assert not cache.scan(base).complete
    assert len(scans) == 1


def test_twenty_searches_are_remembered_and_the_oldest_goes_first(cache, clock, tmp_path, scans):
    folders = [tmp_path / f"f{number}" for number in range(21)]
    for folder in folders:
        folder.mkdir()
        cache.scan(folder)
        clock.time += 1
    cache.scan(folders[20])
    cache.scan(folders[1])
    assert len(scans) == 21
    cache.scan(folders[0])
    assert len(scans) == 22


# -- void -----------------------------------------------------------------------------------------


def test_after_five_minutes_nothing_is_remembered(cache, clock, base, scans):
    cache.scan(base)
    clock.time += SECONDS - 1
    cache.scan(base)
    assert len(scans) == 1
    clock.time += 1
    cache.scan(base)
    assert len(scans) == 2
    assert SECONDS == 300


def test_a_memory_of_the_future_is_none(cache, clock, base, scans):
    """The clock was set back."""
    cache.scan(base)
    clock.time -= 5
    cache.scan(base)
    assert len(scans) == 2


def move_in(base):
    (base.parent / "late.json").write_text("{}")
    (base.parent / "late.json").rename(base / "b" / "settings.json")


def edit_without_a_trace(base):
    """As a copy does that keeps the time: same size, same time of modification."""
    file = base / "a" / "settings.json"
    before = file.stat()
    file.write_text("[]")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = {
    "an index is edited": lambda base: (base / "a/settings.json").write_text('{"base_path": "x"}'),
    "an index is edited without a trace": edit_without_a_trace,
    "an index is added beside another": lambda base: (base / "a/tauro.json").write_text("{}"),
    "an index is added here": lambda base: (base / "tauro.json").write_text("{}"),
    "an index is moved in": move_in,
    "an index is removed": lambda base: (base / "b/c/tauro.json").unlink(),
    "an index is renamed": lambda base: (base / "a/settings.json").rename(base / "a/config.json"),
    "a folder is added": lambda base: (base / "b/d").mkdir(),
    "a folder is removed": lambda base: ((base / "b/c/tauro.json").unlink(), (base / "b/c").rmdir()),
    "a folder is renamed": lambda base: (base / "b").rename(base / "z"),
    "a folder is opened": lambda base: (base / "b").chmod(0o711),
    "the folder itself is renamed and another made": lambda base: (base.rename(base.parent / "old"), base.mkdir()),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_makes_the_memory_void(cache, clock, base, scans, change):
    cache.scan(base)
    CHANGES[change](base)
    clock.time += 5
    assert cache.scan(base) == scan(base)
    assert len(scans) == 2


def test_a_folder_that_goes_while_it_is_searched_is_not_remembered(cache, base, scans, monkeypatch):
    def scan_and_lose(folder):
        found = scan(folder)
        for file in (base / "a" / "settings.json", base / "a"):
            file.rename(base.parent / file.name)
        return found

    monkeypatch.setattr(search_cache, "scan", scan_and_lose)
    assert "a" in cache.scan(base).folders
    assert not cache.file.exists()


def test_a_change_of_any_other_file_is_none(cache, clock, base, scans):
    cache.scan(base)
    (base / "b" / "notes.txt").write_text("more")
    cache.scan(base)
    assert len(scans) == 1


def test_what_has_just_changed_is_not_remembered(cache, clock, base, scans):
    """It could have changed once more after it was looked at, within one tick of the file system's clock."""
    clock.time = (base / "a").stat().st_ctime + 1
    cache.scan(base)
    cache.scan(base)
    assert len(scans) == 2
    assert not cache.file.exists()


# -- private --------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
def test_the_memory_is_for_its_owner_only(cache, base, umask):
    before = os.umask(umask)
    try:
        cache.scan(base)
    finally:
        os.umask(before)
    assert (mode(cache.folder), mode(cache.file)) == (0o700, 0o600)
    assert [item.name for item in cache.folder.iterdir()] == ["discovery.json"]


def chmod(path, mode):
    return lambda cache: getattr(cache, path).chmod(mode)


def as_link(cache):
    other = cache.folder.parent / "elsewhere.json"
    cache.file.rename(other)
    cache.file.symlink_to(other)


def folder_as_link(cache):
    other = cache.folder.parent / "elsewhere"
    cache.folder.rename(other)
    cache.folder.symlink_to(other)


def as_fifo(cache):
    cache.file.unlink()
    os.mkfifo(cache.file, 0o600)


def as_folder(cache):
    cache.file.unlink()
    cache.file.mkdir()


UNTRUSTED = {
    "the file is open to the group": chmod("file", 0o640),
    "the file is open to others": chmod("file", 0o604),
    "the file can be written by others": chmod("file", 0o602),
    "the folder is open to the group": chmod("folder", 0o750),
    "the folder is open to others": chmod("folder", 0o701),
    "the folder can be written by others": chmod("folder", 0o777),
    "the file is a symbolic link": as_link,
    "the folder is a symbolic link": folder_as_link,
    "the file is a FIFO that nobody writes to": as_fifo,
    "the file is a folder": as_folder,
}


@pytest.mark.parametrize("how", UNTRUSTED)
@pytest.mark.timeout(20)
def test_a_memory_that_others_may_have_changed_is_passed_over(cache, base, scans, how):
    cache.scan(base)
    UNTRUSTED[how](cache)
    assert cache.scan(base) == scan(base)
    assert len(scans) == 2


@as_root
@pytest.mark.parametrize("which", ["folder", "file"])
def test_a_memory_of_somebody_else_is_passed_over(cache, base, scans, which):
    cache.scan(base)
    os.chown(getattr(cache, which), 12345, 12345)
    cache.scan(base)
    assert len(scans) == 2


@as_root
def test_a_folder_of_somebody_else_is_neither_written_nor_cleared(cache, base):
    cache.folder.mkdir(mode=0o700)
    (cache.file).write_text("theirs")
    os.chown(cache.folder, 12345, 12345)
    cache.scan(base)
    assert cache.clear() == 0
    assert cache.file.read_text() == "theirs"


def test_a_folder_that_is_a_link_is_neither_written_nor_cleared(cache, base, tmp_path):
    target = tmp_path / "target"
    target.mkdir(mode=0o700)
    (target / "discovery.json").write_text("theirs")
    cache.folder.symlink_to(target)
    cache.scan(base)
    assert cache.clear() == 0
    assert [item.name for item in target.iterdir()] == ["discovery.json"]
    assert (target / "discovery.json").read_text() == "theirs"


def test_a_file_that_is_open_to_others_is_replaced_by_a_private_one(cache, base, scans):
    cache.scan(base)
    cache.file.chmod(0o666)
    cache.scan(base)
    assert mode(cache.file) == 0o600
    cache.scan(base)
    assert len(scans) == 2


# -- garbage --------------------------------------------------------------------------------------


def written(cache, text):
    cache.folder.mkdir(mode=0o700, exist_ok=True)
    cache.file.write_bytes(text if isinstance(text, bytes) else text.encode())
    cache.file.chmod(0o600)


GARBAGE = ["", "{", "null", "[]", "5", '"x"', "\0", b"\xff\xfe", "[" * 100_000, '{"a":' * 100_000, "NaN",
           "9" * 10_000, '{"\\ud800": 1}', "{}" + " " * 100]  # fmt: skip


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_passed_over_and_replaced(cache, base, scans, text):
    written(cache, text)
    assert cache.scan(base) == scan(base)
    cache.scan(base)
    assert len(scans) == 1


sound = {"at": 0, "indexes": ["a/settings.json"], "folders": ["", "a"], "complete": True, "states": []}
HOSTILE = [
    None, [], "x", 5, {}, {"at": 0}, {**sound, "at": "now"}, {**sound, "at": None}, {**sound, "at": []},
    {**sound, "at": 10**400}, {**sound, "at": -(10**400)}, {**sound, "at": float("nan")}, {**sound, "at": float("inf")},
    {**sound, "indexes": None}, {**sound, "indexes": 5}, {**sound, "indexes": [5]}, {**sound, "indexes": ["\0"]},
    {**sound, "indexes": ["../../etc/passwd"]}, {**sound, "indexes": [["a"]]}, {**sound, "indexes": {"a": 1}},
    {**sound, "folders": "abc"}, {**sound, "folders": ["\ud800"]}, {**sound, "folders": ["a" * 100_000]},
    {**sound, "states": {}}, {**sound, "states": [[0, 0]] * 3}, {**sound, "states": float("nan")},
    {**sound, "indexes": [5], "folders": [], "states": [[0, 0]]},
    {**sound, "indexes": ["gone/settings.json"], "folders": [], "states": [[0, 0]]},
]  # fmt: skip


@pytest.mark.parametrize("entry", HOSTILE, ids=range(len(HOSTILE)))
def test_an_entry_that_is_not_ours_is_passed_over_and_replaced(cache, clock, base, scans, entry):
    if isinstance(entry, dict) and entry.get("at") == 0:
        entry = {**entry, "at": clock.time}
    written(cache, json.dumps({str(base): entry, "other": entry}))
    assert cache.scan(base) == scan(base)
    cache.scan(base)
    assert len(scans) == 1
    cache.clear()


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["at", "indexes", "folders", "complete", "states"]), inner),
    ),
    max_leaves=15,
)


@given(entry=json_values, other=json_values)
def test_no_memory_of_any_shape_hurts(tmp_path_factory, entry, other):
    folder = tmp_path_factory.getbasetemp() / "shape"
    (folder / "base" / "a").mkdir(parents=True, exist_ok=True)
    cache = SearchCache(folder / "memory", lambda: time.time() + 10)
    written(cache, json.dumps({str(folder / "base"): entry, "other": other}))
    assert cache.scan(folder / "base") == Tree((), ("", "a"), complete=True)
    assert cache.clear() in (0, 1, 2)


def test_a_memory_of_any_depth_hurts_neither_when_it_is_read_nor_when_it_is_written_again(cache, base):
    """Around the edge of what JSON's reader takes."""
    for depth in range(900, 1000):
        written(cache, '{"other": ' + "[" * depth + "]" * depth + "}")
        assert cache.scan(base) == scan(base)


# -- places that cannot be written ----------------------------------------------------------------


@pytest.mark.parametrize("place", ["gone/deeper", "file/inside"])
def test_where_nothing_can_be_written_every_search_is_made_anew(tmp_path, clock, base, scans, place):
    (tmp_path / "file").write_text("")
    cache = SearchCache(tmp_path / place, clock)
    assert cache.scan(base) == cache.scan(base) == scan(base)
    assert len(scans) == 2
    assert cache.clear() == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_temp_folder_that_is_read_only_costs_nothing_but_time(tmp_path, clock, base, scans):
    (tmp_path / "temp").mkdir()
    (tmp_path / "temp").chmod(0o500)
    cache = SearchCache(tmp_path / "temp" / "memory", clock)
    assert cache.scan(base) == scan(base)
    assert not cache.folder.exists()


def test_a_disk_that_is_full_costs_nothing_but_time(cache, base, scans, monkeypatch):
    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(search_cache, "replace_private", full)
    assert cache.scan(base) == cache.scan(base)
    assert len(scans) == 2


@pytest.mark.parametrize("value", ["", None])
def test_the_user_s_memory_is_in_the_system_s_temp_folder(monkeypatch, value):
    if value is None:
        monkeypatch.delenv("TMPDIR", raising=False)
    else:
        monkeypatch.setenv("TMPDIR", value)
    assert str(user_cache().folder) == f"/tmp/tauro-{os.geteuid()}"


def test_the_user_s_memory_follows_tmpdir_and_asking_for_it_touches_nothing(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    cache = user_cache()
    assert cache.folder == tmp_path / "gone" / f"tauro-{os.geteuid()}"
    assert cache.scan(tmp_path).complete
    assert list(tmp_path.iterdir()) == []


# -- several at once ------------------------------------------------------------------------------


def search_often(folder, base, times):
    cache = SearchCache(folder, lambda: time.time() + 10)
    for _ in range(times):
        (base / str(os.getpid())).touch()
        assert cache.scan(base).indexes == ("a/settings.json", "b/c/tauro.json")
        cache.clear()


def test_processes_that_search_at_once_do_not_disturb_each_other(tmp_path, base):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=search_often, args=(tmp_path / "memory", base, 100)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert list((tmp_path / "memory").iterdir()) == []


# -- cleared --------------------------------------------------------------------------------------


def test_clearing_forgets_everything_and_says_how_much_it_was(cache, base, scans):
    assert cache.clear() == 0
    cache.scan(base)
    cache.scan(base / "a")
    assert cache.clear() == 2
    assert list(cache.folder.iterdir()) == []
    cache.scan(base)
    assert len(scans) == 3


def test_what_cannot_be_removed_is_an_error_and_not_forgotten_in_words_only(cache, base):
    cache.scan(base)
    cache.file.unlink()
    cache.file.mkdir()
    with pytest.raises(ExecutionError, match=r"discovery\.json cannot be removed") as caught:
        cache.clear()
    assert caught.value.hint
