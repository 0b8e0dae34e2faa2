"""Brings every stored item of a table into this version's shape: chalicelib/*/migrations.py."""

from chalicelib.platform import consumers

handler = consumers.works("migrate")
