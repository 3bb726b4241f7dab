"""``tauro completion``: where files go, what stays of a person's own, and what is refused."""

import json
import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tauro.cli.completion.files import BEGIN, END, with_block, without_block
from tauro.cli.completion.shells import SHELLS, script

SCRIPTS = {
    "bash": ".local/share/bash-completion/completions/tauro",
    "zsh": ".local/share/zsh/site-functions/_tauro",
    "fish": ".config/fish/completions/tauro.fish",
}
PROFILES = {"bash": ".bashrc", "zsh": ".zshrc"}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A person's home folder, and none of this machine's own variables."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR", "SHELL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    return folder


def files(folder):
    return {
        str(path.relative_to(folder)): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_written_to_where_the_shell_looks_and_what_was_written_is_said(home, tauro, shell):
    result = tauro("completion", "install", "--shell", shell)
    assert (result.code, result.err) == (0, "")
    assert (home / SCRIPTS[shell]).read_text() == script(shell)
    assert f"Wrote {home / SCRIPTS[shell]}" in result.out
    assert f"Open a new {shell} for it to take effect." in result.out
    profile = PROFILES.get(shell)
    assert set(files(home)) == {SCRIPTS[shell], *([profile] if profile else [])}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("before", [None, b"", b"alias x=y\n", b"alias x=y", b"\xff\xfe no text \r\n"])
def test_twice_is_once_and_uninstall_takes_back_what_install_has_made(home, tauro, shell, before):
    profile = home / PROFILES.get(shell, ".unrelated")
    if before is not None:
        profile.write_bytes(before)
    tauro("completion", "install", "--shell", shell)
    once = files(home)
    again = tauro("completion", "install", "--shell", shell)
    assert files(home) == once
    assert "There is nothing to do." in again.out
    assert tauro("completion", "uninstall", "--shell", shell).code == 0
    left = profile.read_bytes() if profile.exists() else None
    assert left in (before, (before or b"") + b"\n", before or b"")
    assert not (home / SCRIPTS[shell]).exists()
    assert "There is nothing to do." in tauro("completion", "uninstall", "--shell", shell).out


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_a_dry_run_says_what_it_would_do_and_does_nothing(home, tauro, shell, command):
    if command == "uninstall":
        tauro("completion", "install", "--shell", shell)
    before = files(home)
    result = tauro("completion", command, "--shell", shell, "--dry-run")
    assert result.out.startswith(f"Would {'create' if command == 'install' else 'remove'} {home / SCRIPTS[shell]}\n")
    assert result.out.endswith("Nothing was written.\n")
    assert files(home) == before


def test_a_dry_run_shows_the_lines_of_the_profile(home, tauro):
    lines = tauro("completion", "install", "--shell", "zsh", "--dry-run").out.splitlines()
    assert '  fpath=("$HOME"/.local/share/zsh/site-functions $fpath)' in lines


@pytest.mark.parametrize(("shell", "path"), [("bash", "/usr/bin/bash"), ("zsh", "/bin/zsh"), ("fish", "/opt/fish")])
def test_the_shell_is_that_of_the_person(home, tauro, monkeypatch, shell, path):
    monkeypatch.setenv("SHELL", path)
    assert json.loads(tauro("completion", "install", "--output", "json").out)["shell"] == shell


@pytest.mark.parametrize("path", ["/bin/tcsh", "/bin/sh", "", None])
def test_another_shell_is_refused_and_those_that_there_are_are_named(home, tauro, monkeypatch, path):
    if path is not None:
        monkeypatch.setenv("SHELL", path)
    result = tauro("completion", "install")
    assert result.code == 3
    assert "bash, zsh, fish" in result.err
    assert files(home) == {}
    named = tauro("completion", "install", "--shell", "tcsh")
    assert (named.code, all(shell in named.err for shell in SHELLS)) == (3, True)


def test_the_folders_of_the_xdg_variables_and_of_zdotdir_are_respected(home, tauro, monkeypatch, tmp_path):
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for shell in SHELLS:
        tauro("completion", "install", "--shell", shell)
    assert set(files(tmp_path)) == {
        "XDG_DATA_HOME/bash-completion/completions/tauro",
        "XDG_DATA_HOME/zsh/site-functions/_tauro",
        "XDG_CONFIG_HOME/fish/completions/tauro.fish",
        "ZDOTDIR/.zshrc",
        "home/.bashrc",
    }
    assert str(tmp_path / "XDG_DATA_HOME/bash-completion/completions/tauro") in (home / ".bashrc").read_text()


def test_a_relative_folder_in_a_variable_counts_for_nothing(home, tauro, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "share")
    tauro("completion", "install", "--shell", "bash")
    assert (home / SCRIPTS["bash"]).exists()


def test_lines_that_a_person_has_written_without_our_marks_are_enough(home, tauro):
    mine = "fpath=(~/.local/share/zsh/site-functions $fpath)\nautoload -Uz compinit && compinit\n"
    (home / ".zshrc").write_text(mine)
    tauro("completion", "install", "--shell", "zsh")
    assert (home / ".zshrc").read_text() == mine


def test_lines_of_another_version_are_replaced_where_they_stand(home, tauro):
    (home / ".bashrc").write_bytes(b"before\n" + BEGIN + b"old\n" + END + b"after\n")
    result = tauro("completion", "install", "--shell", "bash")
    lines = (home / ".bashrc").read_text().splitlines()
    assert (lines[0], lines[-1], "old" in lines, len(lines)) == ("before", "after", False, 5)
    assert f"Changed {home / '.bashrc'}" in result.out


@pytest.mark.parametrize("content", [BEGIN, END, END + BEGIN])
def test_a_mark_without_the_other_is_refused_before_anything_is_written(home, tauro, content):
    (home / ".bashrc").write_bytes(content)
    result = tauro("completion", "install", "--shell", "bash")
    assert result.code == 4
    assert "without the other" in result.err
    assert files(home).keys() == {".bashrc"}


def test_a_profile_keeps_its_permissions_and_new_files_and_folders_are_not_open_to_a_group(home, tauro):
    (home / ".bashrc").write_text("x\n")
    (home / ".bashrc").chmod(0o600)
    before = os.umask(0o002)
    try:
        tauro("completion", "install", "--shell", "bash")
        tauro("completion", "install", "--shell", "zsh")
    finally:
        os.umask(before)
    assert stat.S_IMODE((home / ".bashrc").stat().st_mode) == 0o600
    for path in (home / ".local").rglob("*"):
        assert not path.stat().st_mode & 0o022, path


def test_a_profile_that_is_kept_elsewhere_in_the_home_folder_is_changed_there(home, tauro):
    (home / "dotfiles").mkdir()
    (home / "dotfiles/bashrc").write_text("mine\n")
    (home / ".bashrc").symlink_to("dotfiles/bashrc")
    result = tauro("completion", "install", "--shell", "bash")
    assert (home / ".bashrc").is_symlink()
    assert (home / "dotfiles/bashrc").read_text().startswith("mine\n# >>> tauro")
    assert f"Changed {home / 'dotfiles/bashrc'}" in result.out


@pytest.mark.parametrize("link", [".bashrc", ".local", SCRIPTS["bash"]])
@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_nothing_is_written_through_a_link_that_leads_out_of_the_home_folder(home, tauro, tmp_path, link, command):
    target = tmp_path / "elsewhere"
    target.mkdir() if link == ".local" else target.write_text("theirs\n")
    (home / link).parent.mkdir(parents=True, exist_ok=True)
    (home / link).symlink_to(target)
    result = tauro("completion", command, "--shell", "bash")
    assert result.code == 6
    assert f"leads by a symbolic link to {target}" in result.err
    assert target.is_dir() or target.read_text() == "theirs\n"
    assert files(home).keys() <= {link}


def test_a_home_folder_that_is_itself_behind_a_link_is_no_matter(home, tauro, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(home)
    monkeypatch.setenv("HOME", str(tmp_path / "link"))
    assert tauro("completion", "install", "--shell", "fish").code == 0
    assert files(home).keys() == {SCRIPTS["fish"]}


@pytest.mark.parametrize("place", [".bashrc", ".local/share/bash-completion/completions/tauro"])
def test_what_is_no_file_is_refused(home, tauro, place):
    (home / place).mkdir(parents=True)
    result = tauro("completion", "install", "--shell", "bash")
    assert (result.code, "is not a file" in result.err) == (6, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_files_of_another_user_are_left_alone(home, tauro):
    (home / ".bashrc").write_text("theirs\n")
    os.chown(home / ".bashrc", 12345, 12345)
    result = tauro("completion", "install", "--shell", "bash")
    assert (result.code, "belongs to another user" in result.err) == (6, True)
    os.chown(home, 12345, 12345)
    assert tauro("completion", "install", "--shell", "fish").code == 6


def test_a_write_that_fails_leaves_the_file_as_it_was_and_no_draft(home, tauro, monkeypatch):
    (home / ".bashrc").write_text("mine\n")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tauro.cli.completion.files.os.fsync", fail)
    result = tauro("completion", "install", "--shell", "bash")
    assert (result.code, "No space left on device" in result.err) == (4, True)
    assert files(home).keys() == {".bashrc"}
    assert (home / ".bashrc").read_text() == "mine\n"


def test_json_tells_every_file_and_what_becomes_of_it(home, tauro):
    data = json.loads(tauro("completion", "install", "--shell", "bash", "--output", "json").out)
    file = '"$HOME"/.local/share/bash-completion/completions/tauro'
    assert data == {
        "schema": 1,
        "shell": "bash",
        "dry_run": False,
        "files": [
            {"path": str(home / SCRIPTS["bash"]), "change": "create"},
            {"path": str(home / ".bashrc"), "change": "create"},
        ],
        "lines": [f"if [ -r {file} ]; then . {file}; fi"],
        "next": "Open a new bash for it to take effect.",
    }


@pytest.mark.parametrize("shell", SHELLS)
def test_show_prints_the_script_and_nothing_else(tauro, shell):
    result = tauro("completion", "show", shell)
    assert (result.code, result.out, result.err) == (0, script(shell), "")
    data = json.loads(tauro("completion", "show", shell, "--output", "json").out)
    assert data == {"schema": 1, "shell": shell, "script": script(shell)}


def test_show_of_another_shell_names_those_that_there_are(tauro):
    result = tauro("completion", "show", "tcsh")
    assert (result.code, all(shell in result.err for shell in SHELLS)) == (3, True)


TEXTS = st.binary(max_size=60).filter(lambda text: b"tauro completion" not in text)


@given(before=TEXTS, after=TEXTS, lines=st.text("abc $'\n", max_size=20))
def test_the_lines_between_the_marks_come_and_go_and_nothing_else_changes(before, after, lines):
    content = before + b"\n" + after
    once = with_block(content, lines, "profile")
    assert with_block(once, lines, "profile") == once
    assert without_block(once, "profile") in (content, content + b"\n")
    in_the_middle = before + b"\n" + BEGIN + b"old\n" + END + after
    assert without_block(with_block(in_the_middle, lines, "profile"), "profile") == content
