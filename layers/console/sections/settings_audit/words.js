// An entry of the audit in words: what was done to what, which field, and where the thing is.
import { listOf, money, when } from "frame/formats.js";
import { t } from "frame/i18n.js";
import { allScreens, link } from "frame/router.js";
import { may } from "frame/session.js";

export const NOUNS = [
  "users", "keys", "sessions", "customers", "orders", "assignments", "touches", "settings", "stores", "staff", "live_codes", "channels", "coupon_pools", "poster_templates", "poster_batches", "poster_assets", "print_runs", "cards",
  "ad_campaigns", "ad_conversions", "prospect_imports", "prospects", "phones", "sops", "groups", "group_tasks", "blacklist", "distribution_plans", "distributors", "settlements", "payouts", "jobs", "dead_letters", "migrations",
];
// Screens of a thing, by their names; of those that are there the first is taken.
const SCREENS = {
  users: ["people.one"], keys: ["keys.list"], staff: ["staff.one"], stores: ["stores.one"], live_codes: ["live_codes.one"], channels: ["channels.one"], coupon_pools: ["coupons.one", "coupon_pools.one"],
  poster_templates: ["posters.one"], print_runs: ["print_runs.one", "printruns.one"], ad_campaigns: ["ads.one", "ad_campaigns.one"], prospect_imports: ["prospects.import", "prospect_imports.one"],
  sops: ["sops.one"], distribution_plans: ["plans.one", "distribution_plans.one"], distributors: ["distributors.one"], settlements: ["settlements.one"], payouts: ["payouts.one"], jobs: ["jobs.list"],
  dead_letters: ["dead_letters.list"], groups: ["groups.one"],
};

const own = (field, value) => (t.has(`enum.${field}.${value}`) ? t(`enum.${field}.${value}`) : null);

export function actionText(action) {
  const [noun, verb] = action.split(".");
  return t("audit.action", { noun: own("audit_noun", noun) || t("audit.another"), verb: own("audit_verb", verb) || t("audit.changed") });
}

export function objectText(row) {
  const [noun, verb] = row.action.split(".");
  if (row.object.includes("/api/") || (row.object === noun && verb === "sync")) return t("audit.whole_list");
  return row.object_name || (noun === "settings" && own("audit_setting", row.object)) || (row.object === noun && own("audit_noun", noun)) || row.object;
}

export function hrefOf(row) {
  const names = SCREENS[row.action.split(".")[0]] || [];
  const screen = names.map((name) => allScreens.find((one) => one.name === name)).find((one) => one && may(one.permission));
  return screen ? link(screen.name, { id: row.object }) : null;
}

function known(path) {
  const parts = path.split(".");
  return own("audit_field", path) || own("audit_field", parts[parts.length - 1]) || own("audit_field", parts[0]);
}

export const fieldText = (path) => known(path) || path;

// Which fields an entry changed: those that have a name, and how many others.
export function changesText(row) {
  const names = [...new Set(row.changes.map((one) => known(one.field)).filter(Boolean))];
  const others = row.changes.length - row.changes.filter((one) => known(one.field)).length;
  if (!names.length) return others ? t("audit.fields", { count: others }) : "–";
  return others ? t("audit.and_others", { names: listOf(names), count: others }) : listOf(names);
}

// What a value is called; undefined where it stands for itself.
export function valueText(value, path) {
  const field = path.split(".").pop();
  if (value === "***") return t("audit.masked");
  if (field.endsWith("_fen") && Number.isInteger(value)) return money(value);
  if (typeof value !== "string") return undefined;
  if (/^\d{4}-\d{2}-\d{2}T/.test(value)) return when(value, "full");
  return own("role", field === "role" ? value : "") || own("audit_status", field === "status" ? value : "") || undefined;
}
