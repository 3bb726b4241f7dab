"""Hostile paths through every door that takes one: refused with exit code 6, and never opened."""

import json
import os
import stat
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from tauro.config.root import INDEX_NAMES
from tauro.errors import UnsafePath
from tauro.security.paths import read_beneath, split_relative

OPENS = 100_000

ABSOLUTE = (
    "/", "//", "///", "/.", "/..", "/etc/passwd", "//etc/passwd", "/./etc/passwd", "/../etc/passwd", "/etc//passwd",
    "/etc/passwd/", "/tmp/nodes.yaml", "/root/.ssh/id_rsa", "/dev/null", "/dev/zero", "/dev/random", "/dev/tty",
    "/dev/mem", "/dev/stdin", "/dev/stdout", "/dev/fd/0", "/dev/fd/1", "/dev/fd/3", "/dev/shm/x", "/run/x",
    "/proc/self/environ", "/proc/self/mem", "/proc/self/cmdline", "/proc/self/cwd/settings.json", "/proc/self/exe",
    "/proc/self/root/etc/passwd", "/proc/1/environ", "/proc/thread-self/fd/0", "/sys/kernel/notes",
    "~", "~/", "~/nodes.yaml", "~root/x", "~nobody", "~+/x", "%7e/x", "\uff5e/x",
    "file:///etc/passwd", "file://localhost/etc/passwd", "http://host/nodes.yaml", "s3://bucket/nodes.yaml",
    "jar:file:///x!/y", "C:/nodes.yaml", "C:nodes.yaml", "c:\\nodes.yaml", "\\\\host\\share", "\\etc\\passwd",
    "%2fetc%2fpasswd", "%2Fetc/passwd", "%252fetc%252fpasswd", "\uff0fetc\uff0fpasswd",
    *(f"/proc/self/fd/{number}" for number in range(10)),
)  # fmt: skip
# Two dots, as they are and in disguise (percent signs, full-width dots, dot leaders), at every place of a path.
DOTS = (
    "..", "%2e%2e", "%2E%2E", ".%2e", "%2e.", "%252e%252e", "%25252e%25252e", "\uff0e\uff0e", ".\uff0e", "\u2025",
    "\u2024\u2024", "%ef%bc%8e%ef%bc%8e",
)  # fmt: skip
SHAPES = (
    "{}", "{}/", "{}/outside/f", "./{}/outside/f", "a/{}", "a/{}/f", "a/b/{}/{}/{}/outside/f", "a//{}//f",
    "{}/{}/etc/passwd",
)  # fmt: skip
CLIMBING = (
    *(shape.replace("{}", dots) for dots in DOTS for shape in SHAPES),
    "..\\outside\\f", "a\\..\\..\\outside", "..%2foutside%2ff", "..%5coutside", "a%2f..%2f..%2foutside", "..//", "../.",
    "..%c0%afoutside", "..\uff0foutside\uff0ff", "..;/outside", "./..", "a/./../..", "..%00/outside",
)  # fmt: skip
HIDDEN = (
    ".f", ".git/config", ".ssh/id_rsa", ".env", "a/.f", "a/.b/f", "a/b/.f", "./.f", "...", "....", "a/...", ".../f",
    ".a.b", ".tauro/runs", "%2ef", "%2egit/config", "%252ef", "a/%2ef", "\uff0ef", "\u2024f", "\u2026",
)  # fmt: skip
LETTERS = (
    "\n",
    "\r",
    "\t",
    "\x01",
    "\x1b",
    "\x7f",
    "\x85",
    "\xa0",
    "\u200b",
    "\u202e",
    "\u2028",
    "\ufeff",
    "\udcff",
    "\\",
)
CONTROL = (
    *(shape.format(letter) for letter in LETTERS for shape in ("f{}", "a{}/f", "{}f")),
    "f%00", "a%00/f", "f%0a", "a%0d%0a/f", "%1b[2Jf",
)  # fmt: skip
WRITTEN = {
    "absolute": ABSOLUTE,
    "climbing": CLIMBING,
    "hidden": HIDDEN,
    "control": CONTROL,
    "nul": ("\0", "f\0", "a\0/f", "\0/etc/passwd", "f\0.yaml"),
    "long": ("x" * 300, "a/" + "x" * 256, "a/" * 2_100 + "f", "x" * 5_000, "%25" * 1_500),
    "empty": ("",),
}

# What a folder can hold that no path may lead to; "trap" is in the name of everything that must not be opened.
AS_ROOT = os.geteuid() == 0


def symlink(target):
    return lambda path: path.symlink_to(target)


def fifo(path):
    os.mkfifo(path, 0o600)


def device(kind, *number):
    return lambda path: os.mknod(path, 0o600 | kind, os.makedev(*number))


def file(mode=0o600, owner=None):
    def make(path):
        path.write_text("SECRET")
        path.chmod(mode)
        if owner is not None:
            os.chown(path, owner, owner)

    return make


def folder(mode=0o700, owner=None, link=None):
    def make(path):
        path.mkdir()
        (path / "inner").mkdir() if link is None else (path / "inner").symlink_to(link)
        if link is None:
            (path / "inner" / "f").write_text("SECRET")
        path.chmod(mode)
        if owner is not None:
            os.chown(path, owner, owner)

    return make


# How a trap is made, and the paths that lead to it or through it.
FILES = {
    "a link out of the project": (symlink("../outside/f"), ("{}",)),
    "a link to another file of the project": (symlink("f"), ("{}", "./{}")),
    "a link to an absolute path": (symlink("/etc/passwd"), ("{}",)),
    "a link to nowhere": (symlink("gone"), ("{}",)),
    "a link to itself": (symlink("trap"), ("{}",)),
    "a link to a descriptor": (symlink("/proc/self/fd/0"), ("{}",)),
    "a link to a device": (symlink("/dev/null"), ("{}",)),
    "a link to the process": (symlink("/proc/self"), ("{}", "{}/environ", "{}/cwd/f")),
    "a linked folder": (symlink("../outside"), ("{}", "{}/f", "{}/inner/f", "{}//f")),
    "a linked folder of the project": (symlink("a"), ("{}", "{}/f", "{}/b/f")),
    "the project itself by a link": (symlink("."), ("{}", "{}/f", "{}/{}/f", "{}/a/f")),
    "the folder above by a link": (symlink(".."), ("{}", "{}/outside/f")),
    "a link inside of a folder": (folder(link="../../outside"), ("{}/inner", "{}/inner/f")),
    "a FIFO": (fifo, ("{}", "./{}", "{}/f")),
    "a file that everybody can write": (file(0o666), ("{}", "./{}")),
    "a file that others can write": (file(0o602), ("{}",)),
    "a folder that everybody can write": (folder(0o777), ("{}/inner/f", "{}/inner")),
    "a folder that others can write": (folder(0o702), ("{}/inner/f",)),
    "a file where a folder should be": (file(), ("{}/f", "{}/inner/f")),
}
BY_ROOT = {
    "a character device": (device(stat.S_IFCHR, 1, 3), ("{}", "{}/f")),
    "a block device": (device(stat.S_IFBLK, 7, 250), ("{}",)),
    "another user's file": (file(0o644, 12345), ("{}", "./{}")),
    "another user's folder": (folder(0o755, 12345), ("{}/inner/f", "{}/inner")),
}

# Runs command lines in one process, and tells for each the exit code and everything that was opened meanwhile.
DRIVER = """
import io, json, os, sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from tauro.cli.cli import invoke

opened = []
listening = False


def hear(event, arguments):
    imported = event == "open" and str(arguments[0]).endswith((".py", ".pyc", ".so"))
    if listening and not imported and event in ("open", "os.listdir", "os.scandir"):
        opened.append(str(arguments[0]))


sys.addaudithook(hear)
cases = json.load(open(sys.argv[1]))
with redirect_stdout(io.StringIO()):
    invoke(["config", "validate"])
    invoke(["config", "validate", "--log-file", "warm.log"])
results = []
for door, path in cases:
    if door == "index":
        Path("settings.json").write_text(json.dumps({"env_config": {"base": {"nodes_config_path": path}}}))
        arguments = ["config", "validate"]
    elif door == "base_path":
        Path("settings.json").write_text(json.dumps({"base_path": path}))
        arguments = ["config", "validate"]
    else:
        Path("settings.json").write_text("{}")
        arguments = ["config", "list-pipelines", door, path]
    opened.clear()
    err, out = io.StringIO(), io.StringIO()
    listening = True
    with redirect_stderr(err), redirect_stdout(out):
        code = invoke(arguments)
    listening = False
    results.append([door, path, int(code), list(opened), err.getvalue() + out.getvalue()])
json.dump(results, sys.stdout)
"""
DOORS = ("--base-path", "--log-file", "index", "base_path")


@pytest.fixture
def project(tmp_path):
    """A project with files to read, and others outside of it."""
    root = tmp_path / "project"
    (root / "a" / "b").mkdir(parents=True)
    (root / "config/base").mkdir(parents=True)
    for name in ("f", "a/f", "a/b/f"):
        (root / name).write_text("{}")
    (root / "settings.json").write_text("{}")
    (tmp_path / "outside" / "inner").mkdir(parents=True)
    for name in ("f", "inner/f"):
        (tmp_path / "outside" / name).write_text("SECRET")
    return root


def refusals(project, cases):
    """Run the cases in a process of its own; return for each what came of it."""
    (project.parent / "cases.json").write_text(json.dumps(cases))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TAURO_")}
    environ |= {"TMPDIR": str(project.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(project.parent / "cases.json")],
        cwd=project, env=environ, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def listing(folder):
    return sorted(path.as_posix() for path in folder.rglob("*") if path.name not in ("settings.json", "warm.log"))


def test_there_are_two_hundred_hostile_paths():
    assert len({path for paths in WRITTEN.values() for path in paths}) >= 200


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_path_that_is_written_with_bad_intent_is_refused_and_nothing_is_opened_for_it(project, kind):
    before = listing(project.parent)
    # What is read of the project itself, on the way to the refusal; a long name is refused by the system.
    own = {".", str(project), str(project / "config/base"), *INDEX_NAMES, *(("a",) if kind == "long" else ())}
    cases = [(door, path) for path in WRITTEN[kind] for door in DOORS if not (door == "base_path" and path == "")]
    for door, path, code, opened, said in refusals(project, cases):
        case = f"{door} {path!r}: {said}{opened}"
        # No JSON file can hold half a character: there it is a fault of the index.
        no_json = "\udcff" in path and not door.startswith("--")
        assert code == (2 if no_json else 6), case
        assert ("CONFIGURATION_ERROR: " if no_json else "SECURITY_ERROR: ") in said, case
        assert {name for name in opened if not name.isdigit()} <= own, case
    (project.parent / "cases.json").unlink()
    assert listing(project.parent) == before


@pytest.mark.parametrize("what", [*FILES, *(BY_ROOT if AS_ROOT else ())])
def test_what_no_path_may_lead_to_is_refused_and_not_opened(project, what):
    make, shapes = {**FILES, **BY_ROOT}[what]
    try:
        make(project / "trap")
    except PermissionError:
        pytest.skip("this machine lets not even root make devices")
    before = listing(project.parent)
    cases = [(door, shape.replace("{}", "trap")) for shape in shapes for door in DOORS if fits(what, door, shape)]
    assert cases
    for door, path, code, opened, said in refusals(project, cases):
        case = f"{door} {path!r}: {said}{opened}"
        assert code == 6, case
        assert "SECURITY_ERROR: " in said, case
        assert "SECRET" not in said, case
        assert not set(opened) & set(names_behind(what, path)), case
    (project.parent / "cases.json").unlink()
    assert listing(project.parent) == before


def fits(what, door, shape):
    """Say whether a path is hostile at this door: files and folders of one's own are not."""
    leads_to_file = shape.endswith(("/f", "environ"))
    if what.endswith("can write") and "folder" in what:
        return door in (("--log-file", "index") if leads_to_file else ("--base-path", "base_path"))
    if what == "another user's folder":
        return door in (("--log-file", "index") if leads_to_file else ("--base-path", "base_path"))
    return True


def names_behind(what, path):
    """Return the names on a path that must not be opened: the trap, and what is behind it."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    hostile = {"a link inside of a folder": "inner"}.get(what, "trap")
    return parts[parts.index(hostile) :]


# -- a race ---------------------------------------------------------------------------------------

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


@contextmanager
def swapping(path, aside, link):
    arguments = [sys.executable, "-S", "-c", SWAP, str(path), str(aside), str(link)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        try:
            yield
            assert process.poll() is None, "it must have swapped until the end"
        finally:
            process.kill()


def test_of_100_000_opens_while_a_link_is_swapped_in_none_leads_outside(project, tmp_path):
    outside = tmp_path / "outside" / "inner"
    seen = Counter()
    descriptors = set(Path("/proc/self/fd").iterdir())
    with swapping(project / "a" / "b", project / "aside", outside):
        deadline = time.monotonic() + 120
        while sum(seen.values()) < OPENS or not (seen[b"{}"] and seen[UnsafePath]):
            assert time.monotonic() < deadline, f"the swaps and the opens never met: {seen}"
            try:
                seen[read_beneath(project, "a/b/f")] += 1
            except (UnsafePath, FileNotFoundError) as error:
                seen[type(error)] += 1
    assert set(seen) <= {b"{}", UnsafePath, FileNotFoundError}
    assert sorted(path.name for path in outside.iterdir()) == ["f"]
    assert (outside / "f").read_text() == "SECRET"
    assert set(Path("/proc/self/fd").iterdir()) <= descriptors


# -- ordinary paths -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "f",
        "./f",
        "a//b/f",
        "a/b/f/",
        "100%.yaml",
        "50%25.yaml",
        "a b/ü.yaml",
        "données/été.yaml",
        "a..b",
        "x.",
        "a%20b",
        "日本/f",
    ],
)
def test_an_ordinary_path_is_taken_as_it_is(name):
    assert "/".join(split_relative(name)) == name.removeprefix("./").replace("//", "/").rstrip("/")


def test_a_path_of_percent_signs_takes_no_longer_than_any_other():
    started = time.perf_counter()
    for name in ("%25" * 1_300, "%" * 4_000, "\uff0e" * 4_000):
        try:
            split_relative(name)
        except UnsafePath:
            continue
    assert time.perf_counter() - started < 2


def test_a_path_that_only_looks_hostile_is_read(project):
    (project / "a%2fb").write_text("mine")
    assert read_beneath(project, "a%2fb") == b"mine"
    assert Path(project / "a" / "b").is_dir()
