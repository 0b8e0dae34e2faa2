"""A person is erased: nothing of them stays but the keyed hash of the number."""

from chalicelib.platform import audit, clock, storage, timeline
from chalicelib.platform.errors import Invalid, NotFound, issue
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line
from chalicelib.prospects import brand_settings, models, phones, rules, status_changes
from chalicelib.prospects.exports import delete_exports
from chalicelib.prospects.models import FigureItem, ProspectItem


@storage.retrying(status_changes.BUSY)
def erase(prospect_id: str, principal: Principal = SYSTEM, unheard: bool = False) -> None:
    """Nothing of the person stays but the keyed hash of the number: who asked not to be contacted.

    unheard: put down a number that was never here, too; else it is NotFound. Repeats change nothing.
    """
    item = models.find(prospect_id)
    if item is not None and item.status == rules.ERASED:
        _forget(prospect_id)  # whoever erased it may have died before that
        return
    if (item is None and not unheard) or (
        item is not None and not status_changes.is_in_scope(item, principal)
    ):
        raise NotFound(code="no_prospect")
    now, tx = clock.now(), Transaction()
    gone = ProspectItem(models.code_of(prospect_id), prospect_id, status=rules.ERASED, version=1)
    gone.changed_at = clock.iso(now)
    if item is None:
        tx.put("prospect", gone, ProspectItem.prospect_id.does_not_exist())
    else:
        gone.version, gone.import_id = int(item.version) + 1, item.import_id
        tx.put("prospect", gone, ProspectItem.version == item.version)
        figure = FigureItem(item.import_id, f"staff#{item.staff_id}")
        tx.update("figure", figure, [getattr(FigureItem, item.status).add(-1)])
        day = FigureItem(item.import_id, f"day#{brand_settings.day_of(now)}")
        tx.update("figure:day", day, [FigureItem.erased.add(1)])
    by = {"by": principal.name}
    timeline.add(tx, Line(f"prospect#{prospect_id}", "prospect_erased", now, f"v{gone.version}", by))
    before = {"status": item.status} if item is not None else None
    audit.add(tx, "prospects.erase", prospect_id, before, {"status": rules.ERASED})
    tx.commit()
    _forget(prospect_id)


def _forget(prospect_id: str) -> None:
    """What is of an erased person elsewhere: the links, and the files of exports, all of them."""
    _unlink(prospect_id)
    delete_exports()


def _unlink(prospect_id: str) -> None:
    """Forget whose number it was. From now on nobody links it any more."""
    for behind in models.links(prospect_id):
        unionid = behind.prospect_id.partition("#")[2]
        for place in models.link(prospect_id, unionid):  # the one by which they are found goes last
            storage.delete_if(place)


def erase_number(phone: str, country: str, principal: Principal = SYSTEM) -> str:
    """Erase by the number itself → its prospect_id. Invalid."""
    try:
        prospect_id = models.id_of(phones.normalised(phone, country))
    except phones.BadPhone as error:
        raise Invalid(issue("phone", error.code)) from error
    erase(prospect_id, principal, unheard=True)
    return prospect_id
