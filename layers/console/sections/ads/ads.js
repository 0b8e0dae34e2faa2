// What ad campaigns are called for people; what became of a report, why, and what helps.
import { t } from "frame/i18n.js";

export const PLATFORMS = ["oceanengine", "tencent", "baidu", "generic"];
export const CONVERSION_TONES = { waiting: "info", sent: "good", refused: "bad", failed: "bad", unknown: "warn", unreported: "plain" };
export const RETRIABLE = ["refused", "failed", "unknown"];
const BODY = ["name", "platform", "channel", "live_code_id", "fallback_live_code_id", "staff_ids", "skip_verify", "page", "report", "credentials", "report_url", "attribution_window", "alert_staff_ids"];

export const options = (field, values, hints = false) => values.map((value) => ({ value, label: t.enum(field, value), hint: hints ? t(`ads.hint.${value}`) : undefined }));
export const blankCampaign = () => ({
  name: "", platform: "oceanengine", channel: null, live_code_id: null, fallback_live_code_id: null, staff_ids: [], skip_verify: true,
  page: { title: "", subtitle: "", image_url: null, button: "添加微信领取", bullets: [], legal: "" },
  report: { added: null, chatted: null, bought: null }, credentials: null, report_url: null, attribution_window: "P30D", alert_staff_ids: [],
});
export const bodyOf = (answer) => Object.fromEntries(BODY.map((key) => [key, answer[key]]));

const orNull = (value) => (value === "" || value === undefined ? null : value);

export function sentOf(form) {
  return {
    ...form, credentials: orNull(form.credentials), report_url: orNull(form.report_url), page: { ...form.page, image_url: orNull(form.page.image_url), bullets: form.page.bullets.filter((line) => line.trim()) },
    report: Object.fromEntries(Object.entries(form.report).map(([key, value]) => [key, orNull(value)])),
  };
}

export function describe(path) {
  const plain = path.replace(/\[\d+\]/g, "");
  for (let at = plain; at; at = at.includes(".") ? at.slice(0, at.lastIndexOf(".")) : "") if (t.has(`ads.field.${at}`)) return t(`ads.field.${at}`);
  return path;
}

export function display(value, path) {
  if (path === "platform") return t.enum("platform", value);
  return null;
}

const REASONS = { "no click": "no_click", "not to be reported": "not_reported", "no credentials": "no_credentials", "no connection": "no_connection", "answer lost": "answer_lost", address: "address", "no answer of theirs": "no_answer" };

// Why a report is where it is, and what to do about it, in words; the platform's own code stays visible.
export function reasonOf(row) {
  if (!row.reason) return { why: "", cure: row.status === "unreported" ? t("ads.cure.not_reported") : "" };
  const known = REASONS[row.reason];
  if (known) return { why: t(`ads.why.${known}`), cure: t(`ads.cure.${known}`) };
  const code = /(\d[\w.-]*)\s*$/.exec(row.reason);
  return { why: t("ads.why.platform", { code: code ? code[1] : row.reason }), cure: t("ads.cure.platform") };
}
