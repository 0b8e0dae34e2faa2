"""A member of staff has another userid from now on: what is kept under the old one moves."""
