"""What keeps a project safe: race-free paths, private files, secret redaction. Knows nothing of pipelines."""
