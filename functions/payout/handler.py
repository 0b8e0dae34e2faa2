"""Payouts: call, ask again, take notice. What there is to do: chalicelib/payouts/works.py."""

from chalicelib.platform import consumers

handler = consumers.works("payout")
