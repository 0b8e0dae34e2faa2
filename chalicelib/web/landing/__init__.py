"""The page that an ad leads to."""
