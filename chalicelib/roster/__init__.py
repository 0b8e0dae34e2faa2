"""The roster: members of staff as operators see and limit them."""
