"""Whose customer a phone number is, as far as imports know."""

PHONE_LOOKUP = "chalicelib.prospects.matching:customers_of_phone"
