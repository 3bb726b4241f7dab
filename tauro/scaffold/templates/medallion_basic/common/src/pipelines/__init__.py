"""Programs that run several pipelines together."""
