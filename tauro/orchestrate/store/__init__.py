"""Where runs and schedules are kept: one file, or PostgreSQL."""
