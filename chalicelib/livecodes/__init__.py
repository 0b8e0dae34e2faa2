"""Live codes: a QR code that never expires, and the decision, at each scan, who gets the customer."""
