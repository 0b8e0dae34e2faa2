"""Each new line of the timeline into the queues of those who listen: see chalicelib.platform.router."""

from chalicelib.platform import consumers, router

handler = consumers.stream_to(router.route)
