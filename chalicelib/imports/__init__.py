"""The first import of all that the corp has in WeCom, and later the repair: docs/import.md."""
