"""Words to guides, bundled, one guide's in order: see chalicelib.notices.service."""

from chalicelib.platform import consumers

handler = consumers.works("notify")
