// What a journal was for, in a line.
import { percent } from "frame/formats.js";
import { t } from "frame/i18n.js";

export function reasonOf(row) {
  const { order_id: order, level, rate_bps: rate, payout_id: payout } = row.reason;
  if (order && level && rate) return t("ledger.reason.order_rate", { order, level, rate: percent(rate, 2) });
  if (order) return t("ledger.reason.order", { order });
  if (payout) return t("ledger.reason.payout");
  return "–";
}
