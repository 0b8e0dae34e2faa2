"""Pages: the scan page, later the console, the sidebar and H5."""
