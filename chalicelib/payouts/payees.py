"""Who a payout goes to: sealed at rest, as the distributor was when it was planned."""

from chalicelib.distribution import payees
from chalicelib.distribution import service as distribution
from chalicelib.distribution.types import Distributor, Payee
from chalicelib.payouts.models import PayoutItem
from chalicelib.platform import storage


def stored(who: Distributor) -> dict[str, str]:
    """What a payout keeps of its payee: the sealed text as it is, so that who plans payouts can't open it."""
    if isinstance(who.sealed, Payee):
        return {"name": who.sealed.name, "openid": who.sealed.openid}  # until `seal-distributors` has run
    return {"sealed": who.sealed}


def payee_of(payout: PayoutItem) -> Payee:
    """Whom to pay. vault.Broken."""
    if payout.sealed:
        return distribution.open_payee(payout.distributor_id, payout.sealed)
    return Payee(payout.name, payout.openid)


def seal_stored(item: PayoutItem) -> None:
    """Seal a payout of before."""
    if item.openid is None:
        return
    sealed = payees.seal(item.distributor_id, Payee(item.name, item.openid))
    actions = [PayoutItem.sealed.set(sealed), PayoutItem.name.remove(), PayoutItem.openid.remove()]
    storage.update_if(item, actions, PayoutItem.sealed.does_not_exist() & PayoutItem.openid.exists())
