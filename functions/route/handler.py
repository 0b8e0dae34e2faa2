"""New lines of the timeline go into the queues of who listens: see chalicelib.platform.timeline_fanout."""

from chalicelib.platform import consumers, timeline_fanout

handler = consumers.stream_to(timeline_fanout.route)
