"""WeCom's contact ways and join ways: made ahead, pooled, kept in step, cleaned up, counted."""
