"""The door of a scan, GET /s/{code}, and of one who says where they are."""
