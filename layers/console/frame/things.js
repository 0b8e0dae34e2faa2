// Things by their name, for the search of the frame: each by the list of its screen, within what one may see.
import { api } from "./api.js";
import { t } from "./i18n.js";
import { allScreens, link } from "./router.js";
import { may } from "./session.js";

const EACH = 4;
const THINGS = [
  { screen: "customers.one", list: () => api.customers.list, id: "external_userid", icon: "person", group: "frame.thing.customer" },
  { screen: "live_codes.one", list: () => api.live_codes.list, id: "live_code_id", icon: "code", group: "frame.thing.code" },
  { screen: "stores.one", list: () => api.stores.list, id: "store_id", icon: "store", group: "frame.thing.store" },
  { screen: "staff.one", list: () => api.staff.list, id: "staff_id", icon: "person", group: "frame.thing.staff" },
  { screen: "sops.one", list: () => api.sops.list, id: "sop_id", icon: "plan", group: "frame.thing.sop" },
  { screen: "groups.one", list: () => api.groups.list, id: "chat_id", icon: "group", group: "frame.thing.group" },
  { screen: "segments.one", list: () => api.segments.list, id: "segment_id", icon: "people", group: "frame.thing.segment" },
  { screen: "distributors.one", list: () => api.distributors.list, id: "distributor_id", icon: "branch", group: "frame.thing.distributor" },
];

// found: called with what a list has, as soon as it answers. A list that fails has nothing.
export function searchThings(q, found) {
  return Promise.all(THINGS.map(async (kind) => {
    const screen = allScreens.find((one) => one.name === kind.screen);
    if (!screen || !may(screen.permission)) return;
    const page = await kind.list()({ q, limit: EACH }).catch(() => ({ items: [] }));
    if (page.items.length) found(page.items.map((row) => ({ path: row[kind.id], href: link(kind.screen, { id: row[kind.id] }), title: row.name || row[kind.id], said: "", icon: kind.icon, group: t(kind.group) })));
  }));
}
