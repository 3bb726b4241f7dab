"""``python -m tauro`` is the console script."""

from tauro.cli.cli import main

if __name__ == "__main__":
    main()
