"""Reports of conversions to the ad platforms, once each.

A report is a state machine: the call is stored as begun, made, and its answer stored. An answer that was
lost is asked for again where the platform can tell a repeat, else it is `unknown`, for a person to decide.
`calling` is the sender's lease.
"""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.ads import leads, models, notices, outgoing, rules
from chalicelib.ads.adapters import PLATFORMS
from chalicelib.ads.adapters.wire import Conversion, Outcome
from chalicelib.ads.models import AdCampaignItem, AdClickItem, AdConversionItem
from chalicelib.platform import clock, due, log, settings, storage
from chalicelib.platform.storage import Transaction

_LEASE = timedelta(minutes=2)  # longer than a call takes, shorter than its message is hidden
_OF_A_GATEWAY = (502, 504)  # no word of the platform's, which may have carried it out


class GivenUp(Exception):
    """All tries are used up: the message goes to the dead-letter queue, the row says `failed`."""


def report(conversion_id: str) -> None:
    """Report a conversion that waits to its platform, and store what became of it. GivenUp: no tries left."""
    row: AdConversionItem | None = AdConversionItem.find(conversion_id)
    if row is None or row.status not in (rules.WAITING, rules.FAILED):
        return
    if row.status == rules.FAILED:
        raise GivenUp
    now = clock.now()
    if max(row.next_at or "", row.calling or "") > clock.iso(now):
        return  # it has its own work at that time; or its sender is at it, and has the message still
    campaign = leads.find_campaign(row.ad_campaign_id)
    if campaign is None:
        return
    adapter = PLATFORMS[campaign.plan.platform]
    if row.calling and not adapter.repeatable(row.kind):
        _settle(row, rules.UNKNOWN, now, "answer lost")
        return
    tries = int(row.tries)
    begun = [AdConversionItem.tries.set(tries + 1), AdConversionItem.calling.set(clock.iso(now + _LEASE))]
    same = (AdConversionItem.status == rules.WAITING) & (AdConversionItem.tries == tries)
    if not storage.update_if(row, begun, same):
        return  # another consumer has it
    outcome, lost = _ask(campaign, row, now)
    if outcome.kind == "done":
        _settle(row, rules.SENT, now)
    elif outcome.kind == "refused":
        _settle(row, rules.REFUSED, now, outcome.reason)
    elif lost and not adapter.repeatable(row.kind):
        _settle(row, rules.UNKNOWN, now, outcome.reason)
    elif tries + 1 >= rules.MAX_TRIES:
        _settle(row, rules.FAILED, now, outcome.reason)
        raise GivenUp
    else:
        _later(row, now, outcome.reason)


def _ask(campaign: AdCampaignItem, row: AdConversionItem, now: datetime) -> tuple[Outcome, bool]:
    """What the platform answers, and whether an answer was lost."""
    click: AdClickItem | None = AdClickItem.find(row.token)
    event = campaign.reported_as(row.kind)
    if click is None or event is None:
        return Outcome("refused", "no click" if click is None else "not to be reported"), False
    platform = campaign.plan.platform
    adapter, guarded = PLATFORMS[platform], platform == "generic"
    conversion = Conversion(
        conversion_id=row.conversion_id,
        ad_campaign_id=row.ad_campaign_id,
        kind=row.kind,
        event=event,
        click_id=str(click.click_id),
        landing_url=str(click.landing_url),
        at=clock.parse(row.at),
        amount_fen=None if row.amount_fen is None else int(row.amount_fen),
    )
    try:
        credentials = _credentials(campaign.plan.credentials)
        base = campaign.plan.report_url if guarded else _base(platform, adapter.BASE)
        request = adapter.request(conversion, credentials, base, now, secrets.token_hex(12))
    except (KeyError, ValueError, settings.Missing):
        settings.forget_secrets()  # somebody may have added them since
        return Outcome("again", "no credentials"), False
    try:
        status, body = outgoing.send(request, guarded)
    except outgoing.NotSent:
        return Outcome("again", "no connection"), False
    except outgoing.Lost:
        return Outcome("again", "answer lost"), True
    except outgoing.Refused:
        return Outcome("refused", "address"), False
    outcome: Outcome = adapter.outcome(status, body)
    return outcome, status in _OF_A_GATEWAY


def _settle(row: AdConversionItem, status: str, now: datetime, reason: str | None = None) -> None:
    """The end of a report, with its figure; what a person has to decide is a notice to the operators."""
    sent_at = clock.iso(now) if status == rules.SENT else None
    ended = models.restate(row, status, calling=None, reason=reason, sent_at=sent_at, next_at=None)
    tx = Transaction()
    tx.update("conversion", AdConversionItem(row.conversion_id), ended, _as_it_was(row))
    models.count_report(tx, row, {rules.COUNTED[status]: 1})
    if status == rules.UNKNOWN:
        notices.add(tx, "report_unknown", now, f"{row.conversion_id}#{clock.iso(now)}", row.ad_campaign_id)
    tx.commit()
    log.measure(f"AdConversion{status.capitalize()}", 1, "Count")


def _later(row: AdConversionItem, now: datetime, reason: str) -> None:
    at = now + rules.backoff(int(row.tries))
    waits = models.restate(row, rules.WAITING, calling=None, reason=reason, next_at=clock.iso(at))
    tx = Transaction()
    tx.update("conversion", AdConversionItem(row.conversion_id), waits, _as_it_was(row))
    due.add(tx, "ad_report", at, f"{row.conversion_id}#{int(row.tries)}", {"subject": row.conversion_id})
    tx.commit()


def _as_it_was(row: AdConversionItem) -> Any:
    return (AdConversionItem.status == rules.WAITING) & (AdConversionItem.tries == row.tries)


def _credentials(name: str | None) -> Mapping[str, Any]:
    """The campaign's credentials, in the secret `ads` under its name: a JSON map, as such or as text."""
    if name is None:
        return {}
    value: Any = settings.secret("ads", name)
    credentials = json.loads(value) if isinstance(value, str) else value
    if not isinstance(credentials, dict):
        raise ValueError("credentials are a map")
    return credentials


def _base(platform: str, own: str) -> str:
    sandbox = outgoing.sandbox_base()
    return f"{sandbox}/{platform}" if sandbox else own
