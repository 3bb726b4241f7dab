"""Executes the notebooks and keeps their outputs: ``make notebooks``, or with the names of some.

What differs from machine to machine and says nothing is left out: the kernel's version, times of cells, and the
identities of widgets, which live in the kernel.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
WIDGET = "application/vnd.jupyter.widget-view+json"


def execute(file: Path) -> None:
    """Execute a notebook in a kernel of its own, and write it with its outputs; a cell that fails ends it."""
    notebook = nbformat.read(file, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        resources={"metadata": {"path": str(HERE)}},
        record_timing=False,
        store_widget_state=False,
    )
    client.execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)
    nbformat.write(notebook, file)


if __name__ == "__main__":
    os.environ["TERM"] = "dumb"  # no bars that draw themselves over
    for name in sys.argv[1:] or sorted(file.name for file in HERE.glob("*.ipynb")):
        print(name)
        execute(HERE / name)
