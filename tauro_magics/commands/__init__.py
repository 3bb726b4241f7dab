"""Commands that notebooks alone have."""
