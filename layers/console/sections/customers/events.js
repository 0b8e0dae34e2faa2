// A line of a customer's timeline in words. Types as chalicelib/platform/events.py has them.
import { money } from "frame/formats.js";
import { t } from "frame/i18n.js";
import { allScreens } from "frame/router.js";
import { channelName } from "kit/pickers.js";

export const KINDS = {
  bonds: ["customer_added", "customer_imported", "customer_lost", "joined_group", "group_member_imported", "left_group", "prospect_matched"],
  messages: ["welcome_sent", "welcome_missed", "welcome_unknown", "touch_sent", "touch_failed", "guide_notified", "coupon_given"],
  orders: ["order_created", "order_paid", "order_shipped", "order_completed", "order_refunded", "order_corrected", "order_closed"],
  changes: ["tags_changed", "remark_changed", "follow_edited"],
};

const LOOKS = {
  customer_added: ["plus", "good"], customer_imported: ["upload"], group_member_imported: ["upload"], customer_lost: ["minus", "bad"], follow_edited: ["edit"], remark_changed: ["edit"], tags_changed: ["tag"],
  joined_group: ["group", "good"], left_group: ["group", "warn"], welcome_sent: ["message", "good"], welcome_missed: ["message", "bad"], welcome_unknown: ["message", "warn"], guide_notified: ["bell"],
  coupon_given: ["coupon", "good"], touch_sent: ["message", "good"], touch_failed: ["message", "bad"], prospect_matched: ["phone", "good"], ad_converted: ["ad"],
  order_created: ["order"], order_paid: ["order", "good"], order_shipped: ["order", "info"], order_completed: ["order", "good"], order_refunded: ["order", "warn"], order_corrected: ["order", "warn"], order_closed: ["order"],
};

const ORDERS = ["order_created", "order_paid", "order_shipped", "order_completed", "order_refunded", "order_corrected", "order_closed"];

function textOf({ type, data }, name) {
  if (type === "customer_added") return [data.half ? t("customers.event.half") : "", data.channel ? t("customers.event.from", { channel: channelName(data.channel) }) : ""].filter(Boolean).join(" · ");
  if (type === "customer_lost") return t.enum("lost_by", data.by);
  if (type === "tags_changed") return [...data.added.map((tag) => `+ ${tag}`), ...data.removed.map((tag) => `− ${tag}`)].join("  ");
  if (type === "welcome_sent") return t("customers.event.within", { seconds: (data.ms / 1000).toFixed(1) });
  if (type === "welcome_missed") return t.has(`enum.missed.${data.reason}`) ? t.enum("missed", data.reason) : t("customers.event.not_in_time");
  if (type === "order_refunded") return t("customers.event.refund", { order: data.order_id, sum: money(data.refunded_fen || 0) });
  if (type === "order_corrected") return t("customers.event.correction", { order: data.order_id, sum: money(data.counted_fen) });
  if (ORDERS.includes(type)) return `${data.order_id} · ${money(data.paid_fen)}`;
  if (type === "guide_notified") return name(data.staff_id);
  return "";
}

// { title, text, icon, tone, href }
export function eventOf(line, name, { link, may }) {
  const [icon, tone] = LOOKS[line.type] || ["dot"];
  const who = line.data.staff_id ? name(line.data.staff_id) : t("customers.event.system");
  const known = t.has(`enum.event.${line.type}`);
  const title = known ? t(`enum.event.${line.type}`, { who }) : t("customers.event.other");
  const order = ORDERS.includes(line.type) && may("orders.read");
  return { title, text: textOf(line, name), icon, tone, href: order ? orderAddress(link, line.data.order_id) : null };
}

// The orders' screens are another section's: without them the line is no link.
const orderAddress = (link, id) => (allScreens.some((screen) => screen.name === "orders.one") ? link("orders.one", { id }) : null);
