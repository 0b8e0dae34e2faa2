"""WeCom's groups of tags: a mirror of them, changed at WeCom and read anew."""
