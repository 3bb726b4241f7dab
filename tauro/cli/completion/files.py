"""Where a shell finds its completion script, and the changes to a person's files that put it there.

What will change is a value that can be shown before anything is written.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from tauro.errors import ExecutionError, SecurityError

if TYPE_CHECKING:
    from collections.abc import Mapping

BEGIN = b"# >>> tauro completion >>>\n"
END = b"# <<< tauro completion <<<\n"

_BASH_LINES = "if [ -r {file} ]; then . {file}; fi"
_ZSH_LINES = """\
fpath=({folder} $fpath)
(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit; }}
autoload -Uz _tauro && compdef _tauro tauro"""


class Setup(NamedTuple):
    """What lets a shell complete ``tauro``.

    Attributes:
        script: Where the shell looks for its script.
        profile: The file that every new shell reads, where it needs lines.
        lines: These lines.
    """

    script: Path
    profile: Path | None = None
    lines: str = ""


class Change(NamedTuple):
    """A file as it is and as it should be; None where there is none.

    Attributes:
        path: The file.
        before: Its content.
        after: Its content afterwards.
    """

    path: Path
    before: bytes | None
    after: bytes | None

    @property
    def kind(self) -> str:
        """``create``, ``update``, ``remove`` or ``keep``."""
        if self.before == self.after:
            return "keep"
        return "create" if self.before is None else "remove" if self.after is None else "update"


def setup_of(shell: str, environ: Mapping[str, str]) -> Setup:
    """Return what a shell needs, by its own conventions.

    bash-completion loads scripts from its folder by itself. Not every bash has it, and it may be
    installed and not loaded; so a line of ~/.bashrc loads the script in any case, which does no harm
    to do twice. zsh looks into the folders of ``fpath``, fish into its folder of completions.

    Args:
        shell: One of SHELLS.
        environ: Environment variables.
    """
    home = home_of(environ)
    data = _folder(environ, "XDG_DATA_HOME", home / ".local/share")
    if shell == "fish":
        return Setup(_folder(environ, "XDG_CONFIG_HOME", home / ".config") / "fish/completions/tauro.fish")
    if shell == "bash":
        file = data / "bash-completion/completions/tauro"
        return Setup(file, home / ".bashrc", _BASH_LINES.format(file=_quoted(file, home)))
    folder = data / "zsh/site-functions"
    profile = _folder(environ, "ZDOTDIR", home) / ".zshrc"
    return Setup(folder / "_tauro", profile, _ZSH_LINES.format(folder=_quoted(folder, home)))


def home_of(environ: Mapping[str, str]) -> Path:
    """Return the person's home folder."""
    return _folder(environ, "HOME", Path("~").expanduser())


def _folder(environ: Mapping[str, str], variable: str, default: Path) -> Path:
    """Return the folder that a variable names; the XDG rules say that a relative one counts for nothing."""
    named = Path(environ.get(variable, ""))
    return named if named.is_absolute() else default


def _quoted(path: Path, home: Path) -> str:
    """Return a path for a shell; below $HOME, so that the lines serve a home folder elsewhere too."""
    return f'"$HOME"/{quote(str(path.relative_to(home)))}' if path.is_relative_to(home) else quote(str(path))


def installation(setup: Setup, text: str, home: Path) -> list[Change]:
    """Return what is to change for a shell to complete ``tauro``.

    Lines that a person has written without our marks, and that name the script's folder, are enough.

    Args:
        setup: What the shell needs.
        text: Its script.
        home: The person's home folder.

    Raises:
        SecurityError: A file is not the person's own, or a link leads out of the home folder.
        ExecutionError: A file cannot be read, or has one of the two marks alone.
    """
    changes = [_change(setup.script, text.encode(), home)]
    if setup.profile is not None:
        profile = _real(setup.profile, home)
        before = _read(profile)
        rest = without_block(before or b"", profile)
        folder = setup.script.parent
        spelled = folder.relative_to(home) if folder.is_relative_to(home) else folder
        by_hand = os.fsencode(spelled) in rest
        after = before if by_hand and rest == before else with_block(before or b"", setup.lines, profile)
        changes.append(Change(profile, before, after))
    return changes


def removal(setup: Setup, home: Path) -> list[Change]:
    """Return what is to change for nothing of an installation to be left. Errors as :func:`installation`."""
    changes = [_change(setup.script, None, home)]
    if setup.profile is not None:
        profile = _real(setup.profile, home)
        before = _read(profile)
        changes.append(Change(profile, before, before and without_block(before, profile)))
    return changes


def with_block(content: bytes, lines: str, path: Path) -> bytes:
    """Return a file's content with lines between our marks: in place of those that are there, else at its end."""
    block = BEGIN + lines.encode() + b"\n" + END
    start, end = _block(content, path)
    if start == end and content and not content.endswith(b"\n"):
        block = b"\n" + block
    return content[:start] + block + content[end:]


def without_block(content: bytes, path: Path) -> bytes:
    """Return a file's content without our marks and what is between them."""
    start, end = _block(content, path)
    return content[:start] + content[end:]


def _block(content: bytes, path: Path) -> tuple[int, int]:
    """Return where our marks and lines begin and end; twice the content's end where there are none."""
    start, end = content.find(BEGIN), content.find(END)
    if start < 0 and end < 0:
        return len(content), len(content)
    if start < 0 or end < start:
        raise ExecutionError(
            f"{path} has one of the marks of tauro's completion without the other",
            hint=f"Remove the line that holds '>>> tauro completion' or '<<< tauro completion' from {path}.",
        )
    return start, end + len(END)


def apply(change: Change) -> None:
    """Write or remove a file, all or nothing; its permissions stay.

    Raises:
        ExecutionError: The system refuses it.
    """
    try:
        if change.after is None:
            change.path.unlink(missing_ok=True)
        elif change.kind != "keep":
            _replace(change.path, change.after)
    except OSError as error:
        raise ExecutionError(f"{change.path} cannot be written: {error.strerror}") from error


def _replace(path: Path, content: bytes) -> None:
    for parent in reversed([folder for folder in path.parents if not folder.exists()]):
        # zsh does not trust a folder that a group can write to, whatever the umask says.
        parent.mkdir(mode=0o755, exist_ok=True)
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def _change(path: Path, after: bytes | None, home: Path) -> Change:
    real = _real(path, home)
    return Change(real, _read(real), after)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ExecutionError(f"{path} cannot be read: {error.strerror}") from error


def _real(path: Path, home: Path) -> Path:
    """Return where a file really is: people keep such files elsewhere in their home folder, behind links.

    Raises:
        SecurityError: That is outside of the home folder, or somebody else's.
    """
    real = Path(os.path.realpath(path))
    by_hand = "Put it there yourself: tauro completion show SHELL prints the script."
    if real != path and not real.is_relative_to(os.path.realpath(home)):
        raise SecurityError(f"{path} leads by a symbolic link to {real}, outside of {home}", hint=by_hand)
    there = next(place for place in (real, *real.parents) if os.access(place, os.F_OK))
    status = there.stat()
    fits = stat.S_ISREG(status.st_mode) if there == real else stat.S_ISDIR(status.st_mode)
    if not fits:
        raise SecurityError(f"{there} is not a {'file' if there == real else 'folder'}", hint=by_hand)
    if status.st_uid != os.geteuid():
        raise SecurityError(f"{there} belongs to another user", hint="Install it as the user who will use it.")
    return real
