"""What people listens to: a member of staff who leaves has no access any more."""

from chalicelib.platform.listeners import Listener

ACCESS = Listener(name="access", handlers={"event_recorded": "chalicelib.people.leaving:on_recorded"})
LISTENERS = [ACCESS]
