"""``python -m tauro`` is the console script."""

import sys

if __name__ == "__main__":
    # -m puts the current folder first: a project's own yaml.py would be imported in place of PyYAML.
    if not sys.flags.safe_path:
        del sys.path[0]
    from tauro.cli.cli import main

    main()
