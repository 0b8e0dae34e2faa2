// What an entry's thing is called, where the entry has no name of then: asked of the thing's own list, once.
import { api } from "frame/api.js";
import { when } from "frame/formats.js";
import { t } from "frame/i18n.js";
import { may } from "frame/session.js";
import { nameOf } from "kit/pickers.js";
import { objectText } from "./words.js";

const PICKED = {
  users: "staff", staff: "staff", sessions: "staff", stores: "store", live_codes: "code", coupon_pools: "coupon", poster_templates: "template", groups: "group", prospect_imports: "prospect_import",
  ad_campaigns: "ad_campaign", sops: "sop", customers: "customer", blacklist: "customer", distributors: "distributor", distribution_plans: "plan",
};
const ASKED = {
  print_runs: async (id) => (await api.print_runs.get(id)).name,
  settlements: async (id) => t("audit.settlement_of", { when: when((await api.settlements.get(id)).created_at, "date") }),
  payouts: async (id) => t("audit.payout_to", { name: (await api.payouts.get(id)).distributor_name }),
};
const known = new Map();

async function ask(noun, id) {
  if (ASKED[noun]) return may(`${noun}.read`) ? ASKED[noun](id).catch(() => null) : null; // or it is there no more
  if (!PICKED[noun]) return null;
  const found = await nameOf(PICKED[noun], id);
  return found.missing || found.label === id ? null : found.label;
}

// An id says nothing to people: of a thing without a name, what it is and how its id ends.
export async function nameObject(row) {
  const said = objectText(row);
  if (said !== row.object || row.action === "prospects.lists") return said;
  const [noun] = row.action.split(".");
  const key = `${noun} ${row.object}`;
  if (!known.has(key)) known.set(key, ask(noun, row.object));
  const name = await known.get(key);
  if (name) return name;
  return row.object.length > 14 ? t("audit.numbered", { noun: t.enum("audit_noun", noun), end: row.object.slice(-4) }) : row.object;
}
