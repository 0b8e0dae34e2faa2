// What came before a loss in words, and the days that are looked at.
import { t } from "frame/i18n.js";

export const DAYS = 7;
export const AFTER = ["touch_sent", "welcome_sent", "coupon_given", "joined_group", "left_group", "order_refunded", "customer_added"];
export const daysAgo = (count) => new Date(Date.now() + 8 * 3600000 - count * 86400000).toISOString().slice(0, 10);

export const reasonText = (type) => (type ? t.enum("churn_after", type) : t("churn.after_nothing"));

function since(seconds) {
  if (seconds < 3600) return t("churn.minutes", { count: Math.max(1, Math.round(seconds / 60)) });
  if (seconds < 86400) return t("churn.hours", { count: Math.round(seconds / 3600) });
  return t("churn.known_days", { count: Math.round(seconds / 86400) });
}

export function afterText({ after }) {
  if (!after) return t("churn.after_nothing");
  const what = after.sop_name ? t("churn.after_sop", { name: after.sop_name }) : reasonText(after.type);
  return t("churn.after_since", { what, since: since(after.seconds) });
}
