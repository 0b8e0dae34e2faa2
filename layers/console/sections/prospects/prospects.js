// What phone lists are called for people, and what their forms begin with.
import { language, t } from "frame/i18n.js";
import { nameOf } from "kit/pickers.js";

export const STATUSES = ["to_add", "asked", "added", "refused", "unreachable", "expired"];
export const TONES = { to_add: "plain", asked: "info", added: "good", refused: "bad", unreachable: "warn", expired: "plain" };
export const IMPORT_TONES = { uploading: "plain", running: "info", finished: "good", failed: "bad" };
export const SPREADS = ["round_robin", "weighted", "by_store", "by_column"];
const COUNTRIES = ["CN", "HK", "MO", "TW", "SG", "MY", "TH", "VN", "JP", "KR", "US", "CA", "GB", "AU"];
export const NOBODY = "-";

export const options = (field, values, hints = false) => values.map((value) => ({ value, label: t.enum(field, value), hint: hints ? t(`prospects.hint.${value}`) : undefined }));

// `chosen` may be another one: the API takes any.
export const countries = (chosen) => [...COUNTRIES.map((value) => ({ value, label: t.enum("country", value) })), ...(COUNTRIES.includes(chosen) || !chosen ? [] : [{ value: chosen, label: new Intl.DisplayNames([language.value], { type: "region" }).of(chosen) }])];

// Rows with the names of their guides and stores, each asked for once.
export async function named(rows) {
  return Promise.all(rows.map(async (row) => ({
    ...row,
    staff_name: row.staff_id && row.staff_id !== NOBODY ? (await nameOf("staff", row.staff_id)).label : t("prospects.nobody"),
    store_name: row.store_id ? (await nameOf("store", row.store_id)).label : "",
  })));
}

export const blankSpread = () => ({ rule: "round_robin", staff_ids: [], weights: {} });

// What a rule has no use for does not go along.
export function spreadOf(spread) {
  if (spread.rule === "weighted") return { rule: spread.rule, weights: Object.fromEntries(spread.staff_ids.map((id) => [id, Number(spread.weights[id]) || 1])) };
  return { rule: spread.rule, staff_ids: spread.staff_ids };
}

export function describe(path) {
  const plain = path.replace(/\[\d+\]/g, "").replace(/^from_orders\./, "");
  if (plain.startsWith("staff.weights")) return t("prospects.field.weights");
  for (let at = plain; at; at = at.includes(".") ? at.slice(0, at.lastIndexOf(".")) : "") if (t.has(`prospects.field.${at}`)) return t(`prospects.field.${at}`);
  return path;
}
