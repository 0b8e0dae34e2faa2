"""Bonds of a guide who has another userid. One that had ended by then stays under the old one, as history."""

from chalicelib.customers import models, rules
from chalicelib.customers.models import FollowItem
from chalicelib.facts import service as facts
from chalicelib.platform import storage

_PART = 100  # bonds


def move(old: str, new: str) -> bool:
    places = list(models.places_of_guide(old, None, _PART))
    for place in places:
        _move(place, old, new)
    return len(places) == _PART


@storage.retrying("others keep changing this customer")
def _move(place: str, old: str, new: str) -> None:
    customer = models.load(place.partition("#")[2])
    if customer.listed.get(old) == place:
        facts.order_refresh(customer.external_userid)  # before too: a worker may be killed behind the write
        models.save(rules.renamed(customer, old, new))  # with its rows
        facts.order_refresh(customer.external_userid)
    else:
        FollowItem(old, place).delete()  # nobody's: its customer says otherwise
