"""Customers of a tag that has another name by now, or none: apart from carrying.py, which needs the lake."""

from collections.abc import Sequence

from chalicelib.customers import service as customers
from chalicelib.taggroups import mirror, rules


def carry(tag_id: str, old: str, who: Sequence[str]) -> None:
    """Work: what these customers have under the old name they have under the present one. A name that some
    tag has (again) is left to its customers."""
    names = rules.names(mirror.groups())
    if old in names.values():
        return
    add = [names[tag_id]] if tag_id in names else []
    for external_userid in who:
        customers.swap_tag(external_userid, old, add)
