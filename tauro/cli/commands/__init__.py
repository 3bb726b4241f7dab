"""One module for each subcommand; the table of them is in tauro.cli.cli."""
