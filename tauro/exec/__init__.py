"""Plans and runs: which nodes in which order, their events, their result, and how to resume."""
