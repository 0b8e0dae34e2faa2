"""Who gets a scan: the decision, places under caps, reservations that an add confirms or that lapse."""
