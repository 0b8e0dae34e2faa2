"""The blacklist of groups as operators see it: who is on it, since when, why, and who put them there."""
