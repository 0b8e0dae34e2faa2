"""Lists as files. The app knows whose list a path is; its door is imported when one is asked for."""

from app import app
from chalicelib.platform import consumers

assert app  # Door.find is its
handler = consumers.works("export")
