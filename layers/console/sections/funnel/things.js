// Behind a figure stand things: the orders, the customers, the codes that were scanned. Where their list is.
import { link } from "frame/router.js";
import { may } from "frame/session.js";

const ORDERS = ["orders", "gmv_fen", "buyers"];
const CUSTOMERS = ["adds", "kept", "lost", "welcomes", "welcomes_missed", "welcomes_unknown"];
const NO_LIST = ["unknown", "other"]; // what came by no channel's name

// channel: a name. Answers { href, kind }; null where no list can be narrowed to them.
export function thingsOf(figure, { from, to, channel = null, staffId = null }) {
  if (NO_LIST.includes(channel)) return null;
  const found = (kind, permission, name, query) => {
    const href = may(permission) ? link(name, {}, query) : null;
    return href ? { kind, href } : null;
  };
  if (ORDERS.includes(figure) && !staffId) return found("orders", "orders.read", "orders.list", { from, to, channel });
  if (CUSTOMERS.includes(figure)) return found("customers", "customers.read", "customers.list", { added_from: from, added_to: to, channel, staff_id: staffId });
  if (figure === "scans") return found("codes", "live_codes.read", "live_codes.list", { channel, staff_id: staffId });
  return null;
}
