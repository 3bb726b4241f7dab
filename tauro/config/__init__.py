"""Text on disk becomes one typed, validated project configuration. Knows nothing of Spark."""
