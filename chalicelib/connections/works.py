"""Work for connections: a test by the function that has the keys for it."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="connection_test",
        queue="payout",
        handler="chalicelib.connections.pay_probes:test",
        takes=("connection",),
        order="connection",
    )
]
