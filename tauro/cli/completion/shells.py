"""The shells that complete command lines: the script of each, and the answer that the scripts ask for.

The scripts are ours, because click's do not complete ``--env=de`` in bash and fish and lose the option
there in zsh, cut descriptions at their first comma in fish and sort runs by name, leave blanks in names
unquoted in bash, and are errors in bash before 4.4, such as that of macOS. click's own protocol
(``_TAURO_COMPLETE=bash_source``) is there beside them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tauro.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import click
    from click.shell_completion import CompletionItem

SHELLS = ("bash", "zsh", "fish")
# A script sets it to LINE and gives the command line as the first argument.
VARIABLE = "_TAURO_COMPLETE"
LINE = "line"
# Stands where the cursor is; no command line can hold it.
_CURSOR = "\0"


def script(shell: str) -> str:
    """Return the script that lets a shell complete ``tauro``; ``shell`` is one of SHELLS."""
    return (Path(__file__).parent / "scripts" / f"completion.{shell}").read_text(encoding="utf-8")


def shell_of(environ: Mapping[str, str]) -> str:
    """Return the person's shell, from ``$SHELL``.

    Raises:
        UsageFault: It is none of SHELLS.
    """
    named = environ.get("SHELL", "")
    shell = Path(named).name
    if shell not in SHELLS:
        message = f"The shell '{named}' is not one that tauro completes for" if named else "$SHELL names no shell"
        raise UsageFault(message, looked_up=("$SHELL",), hint=f"Name one by --shell: {', '.join(SHELLS)}.")
    return shell


def answer(tree: click.Command, arguments: Sequence[str]) -> int:
    """Print what a command line could go on with, and return the exit code.

    Each line has the kind (``plain``, or ``dir`` and ``file`` for paths, which the shell knows itself),
    the value and its description, parted by tabs.

    Args:
        tree: The commands.
        arguments: The command line up to the cursor; then, where the shell replaces less than its last
            word, the part that it replaces.
    """
    try:
        lines = "".join(f"{line}\n" for line in _lines(tree, *arguments[:2]))
        # Names that the locale cannot spell go out as they came in.
        sys.stdout.buffer.write(lines.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
    except Exception:  # noqa: BLE001 - the process edge: a person at a prompt must not be disturbed
        return 1
    return 0


def _lines(tree: click.Command, line: str = "", replaced: str | None = None) -> Iterator[str]:
    proposals = proposals_for(tree, line)
    current = proposals.word
    done = "" if replaced is None else current.removesuffix(_plain(replaced, current))
    for item in proposals.items:
        if item.type != "plain":
            yield item.type
        else:
            yield f"plain\t{item.value.removeprefix(done)}\t{item.help or ''}"


class Proposals(NamedTuple):
    """What a command line could go on with.

    Attributes:
        word: Its last word, as far as it is typed, without quotes.
        items: What could stand in the place of this word; those of the kinds ``dir`` and ``file`` stand for all paths.
    """

    word: str
    items: list[CompletionItem]


def proposals_for(tree: click.Command, line: str) -> Proposals:
    """Return what a command line up to the cursor could go on with.

    Args:
        tree: The commands.
        line: The command line, with the program's name.
    """
    from click.shell_completion import CompletionItem, ShellComplete, split_arg_string

    words = split_arg_string(line + _CURSOR)
    while len(words) > 1 and "=" in words[0]:
        del words[0]  # a variable that stands before the program
    current = words[-1].removesuffix(_CURSOR)
    option = current[: current.index("=") + 1] if current.startswith("--") and "=" in current else ""
    found = ShellComplete(tree, {}, "tauro", VARIABLE).get_completions(words[1:-1], current)
    items = [
        CompletionItem(option + item.value, type=item.type, help=item.help)
        for item in found
        if item.type != "plain" or not (option and item.value.startswith("-"))
    ]
    return Proposals(current, items)


def _plain(replaced: str, current: str) -> str:
    """Return what bash replaces, without its quotes; bash takes away quotation marks itself, but no backslashes."""
    from click.shell_completion import split_arg_string

    return replaced if current.endswith(replaced) else "".join(split_arg_string(replaced))
