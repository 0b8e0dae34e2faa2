"""The guide's task list, as a page for a phone."""
