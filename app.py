"""The HTTP doors, nothing but routing: one blueprint per capability."""

from typing import Any

from chalice.app import Chalice

from chalicelib.ads.api import door as ads
from chalicelib.callbacks.api import door as callbacks
from chalicelib.coupons.api import door as coupons
from chalicelib.customers.api import door as customers
from chalicelib.distribution.api import door as distribution
from chalicelib.embeds.api import door as embeds
from chalicelib.groups.api import door as groups
from chalicelib.ledger.api import door as ledger
from chalicelib.livecodes.api import door as livecodes
from chalicelib.malls.api import door as malls
from chalicelib.messaging.api import door as messaging
from chalicelib.metrics.api import door as metrics
from chalicelib.orders.api import door as orders
from chalicelib.payouts.api import door as payouts
from chalicelib.people.api import door as people
from chalicelib.platform.api import door as platform
from chalicelib.posters.api import door as posters
from chalicelib.printruns.api import door as printruns
from chalicelib.prospects.api import door as prospects
from chalicelib.prospects.h5 import door as prospect_tasks
from chalicelib.sops.api import door as sops
from chalicelib.staff.api import door as staff
from chalicelib.staffauth.api import door as staffauth
from chalicelib.stores.api import door as stores

DOORS = [
    livecodes,
    groups,
    posters,
    embeds,
    ads,
    printruns,
    coupons,
    stores,
    prospects,
    prospect_tasks,
    staff,
    staffauth,
    callbacks,
    customers,
    messaging,
    sops,
    malls,
    orders,
    distribution,
    ledger,
    payouts,
    metrics,
    people,
    platform,
]


class Millrace(Chalice):
    def __call__(self, event: Any, context: Any) -> Any:
        # Chalice refuses to send a picture to a client whose Accept header does not ask for one.
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        event["headers"] = {**headers, "accept": ", ".join(filter(None, (headers.get("accept"), "*/*")))}
        return super().__call__(event, context)


app = Millrace(app_name="millrace")
app.api.binary_types.append("application/pdf")  # posters; pictures are there already
for door in DOORS:
    app.register_blueprint(door.blueprint)
