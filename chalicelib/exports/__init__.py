"""Lists as files that are too large for an answer: a job that writes one (platform/list_files.py)."""
