"""Processes that execute user code: who owns them, what belongs to them, what they print, and their end."""
