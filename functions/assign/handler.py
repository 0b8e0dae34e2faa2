"""The upkeep of live codes, contact ways, groups and stores. What there is to do: works.py of each."""

from chalicelib.platform import consumers

handler = consumers.works("assign")
