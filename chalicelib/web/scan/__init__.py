"""The page that a scan opens on a phone."""
