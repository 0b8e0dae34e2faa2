"""Whose add is this: from WeCom's `state` to where the add came from. Channels declare theirs."""
