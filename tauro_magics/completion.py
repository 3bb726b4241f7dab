"""Completes lines of magics, by what completes command lines in a shell."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click
    from IPython.core.completer import CompletionContext
    from IPython.core.interactiveshell import InteractiveShell

# The commands behind each magic, imported when one of its lines is completed.
_TREES = {
    "tauro": "tauro_magics.tree:tree",
    "tauro_config": "tauro_magics.config_cell:command",
    "tauro_node": "tauro_magics.node_cell:command",
}
_LINE = r"\s*(?:[\w.,\s]+=\s*)?%{1,2}(tauro|tauro_config|tauro_node)\s+(.*)"


def match(context: CompletionContext) -> dict[str, Any]:
    """Return what a magic's line could go on with; one of IPython's matchers.

    Unlike a function of its hook ``complete_command`` a matcher keeps away what else would be proposed, as a command
    line is no Python, and says itself which letters are replaced.
    """
    found = re.fullmatch(_LINE, context.text_until_cursor, re.DOTALL)
    return {"completions": []} if found is None else _completed(_tree(found[1]), found[2])


match.matcher_api_version = 2  # type: ignore[attr-defined]
match.matcher_priority = 100  # type: ignore[attr-defined]
match.matcher_identifier = "tauro"  # type: ignore[attr-defined]


def complete(_shell: InteractiveShell, event: Any) -> list[str]:
    """Return what a magic's line could go on with, for the hook of an IPython before 8.6, such as Colab's."""
    from tauro.cli.completion.shells import proposals_for

    found = re.fullmatch(_LINE, event.text_until_cursor, re.DOTALL)
    if found is None:
        return []
    word, items = proposals_for(_tree(found[1]), f"tauro {found[2]}")
    kept = word.removesuffix(event.symbol)
    return [item.value.removeprefix(kept) for item in items if item.type == "plain"]


def _tree(magic: str) -> click.Command:
    module, _, name = _TREES[magic].partition(":")
    tree: click.Command = getattr(import_module(module), name)
    return tree


def _completed(tree: click.Command, line: str) -> dict[str, Any]:
    from IPython.core.completer import SimpleCompletion

    from tauro.cli.completion.shells import proposals_for

    word, items = proposals_for(tree, f"tauro {line}")
    plain = [item for item in items if item.type == "plain"]
    if not plain or not line.endswith(word):
        return {"completions": []}  # a path, which IPython completes itself, or a word in quotes
    return {
        "completions": [SimpleCompletion(text=item.value, type="tauro") for item in plain],
        "matched_fragment": word,
        "ordered": True,
        "suppress": True,
    }


def attach(shell: InteractiveShell) -> None:
    """Let a kernel complete the magics' lines."""
    if hasattr(shell.Completer, "custom_matchers"):
        shell.Completer.custom_matchers.append(match)
    else:
        shell.set_hook("complete_command", complete, re_key=_LINE)  # type: ignore[no-untyped-call]


def detach(shell: InteractiveShell) -> None:
    """Let it be as before."""
    matchers = getattr(shell.Completer, "custom_matchers", [])
    if match in matchers:
        matchers.remove(match)
    shell.strdispatchers["complete_command"].regexs.pop(re.compile(_LINE), None)
