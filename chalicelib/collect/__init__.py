"""The distributor's own page: what they have earned, and where they collect it."""
