"""Runs every notebook in a fresh kernel, and fails where a cell does.

With `--keep` what the cells print is kept in the notebooks, which is to be committed: without the
time of day, so that running them again changes what has changed.
"""

import argparse
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent


def execute(path: Path, keep: bool) -> None:
    """Runs one notebook in its folder."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute()
    if keep:
        nbformat.write(notebook, path)


def main() -> None:
    """Runs them in the order of their names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="keep what the cells print")
    keep = parser.parse_args().keep
    for path in sorted(FOLDER.glob("[1-9]-*.ipynb")):
        began = time.monotonic()
        execute(path, keep)
        print(f"{path.name}: {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
