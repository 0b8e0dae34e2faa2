// What live codes are called for people, and the shapes that the editor works on.
import { t } from "frame/i18n.js";

export const KINDS = ["staff", "group", "nearest_store"];
export const STRATEGIES = ["round_robin", "weighted", "least_loaded", "random"];
export const KIND_ICONS = { staff: "person", group: "group", nearest_store: "store" };
export const STATUS_TONES = { reserved: "info", confirmed: "good", lapsed: "plain" };

export const options = (field, values, hints = false) => values.map((value) => ({ value, label: t.enum(field, value), hint: hints ? t(`live_codes.hint.${value}`) : undefined }));

export function newMember(staffId) {
  return { staff_id: staffId, weight: 1, daily_cap: null, total_cap: null, hours: null };
}

export function blankCode() {
  return {
    name: "", kind: "staff", channel: "other", tags: [],
    assignment: { strategy: "round_robin", sticky: true, members: [], fallback_staff_ids: [], reserve_for: "PT10M" },
    printing: "dynamic", groups: null, stores: null, welcome: null, gift: null, skip_verify: true,
    schedule: { from: null, until: null }, timezone: "Asia/Shanghai",
  };
}

// The body of a code out of the API's answer: what it was given, without what only the answer has.
export function bodyOf(answer) {
  const body = {};
  for (const key of Object.keys(blankCode())) body[key] = answer[key];
  return body;
}

// What the form has for other kinds does not go along.
export function sentOf(form) {
  const welcome = form.welcome && (form.welcome.text || (form.welcome.attachments || []).length || (form.welcome.by_time || []).length) ? form.welcome : null;
  return { ...form, welcome, groups: form.kind === "group" ? form.groups : null, stores: form.kind === "nearest_store" ? form.stores : null };
}

// How a scan is given to somebody, and among how many: a code of groups or stores has its own way, whatever the
// strategy for those who stand in.
export const howText = (code) => t.enum(code.kind === "staff" ? "strategy" : "code_way", code.kind === "staff" ? code.assignment.strategy : code.kind);

export function amongText(code) {
  if (code.kind === "group") return t("live_codes.among.groups", { count: code.groups.chat_ids.length });
  if (code.kind !== "nearest_store") return t("live_codes.among.staff", { count: code.assignment.members.length });
  const ids = code.stores.store_ids || [];
  return ids.length ? t("live_codes.among.stores", { count: ids.length }) : t("live_codes.among.all_stores");
}

export function hoursText(hours) {
  if (!hours || !hours.length) return t("live_codes.hours.always");
  return hours.map((one) => t("live_codes.hours.one", { days: daysText(one.weekdays), from: one.from, to: one.to })).join(t("live_codes.comma"));
}

export function daysText(weekdays) {
  const days = [...weekdays].sort((a, b) => a - b);
  const key = days.join("");
  if (key === "1234567") return t("live_codes.days.every");
  if (key === "12345") return t("live_codes.days.work");
  if (key === "67") return t("live_codes.days.weekend");
  return days.map((day) => t(`live_codes.day.${day}`)).join(t("live_codes.comma"));
}

// A field's path as people call it: the editor's labels, for errors and differences.
export function describe(path) {
  const member = /^assignment\.members\[(\d+)\](?:\.(\w+))?/.exec(path);
  if (member) return t("live_codes.field.member", { n: Number(member[1]) + 1, field: member[2] ? t(`live_codes.field.${member[2]}`) : "" }).trim();
  const plain = path.replace(/\[\d+\]/g, "");
  for (let at = plain; at; at = at.includes(".") ? at.slice(0, at.lastIndexOf(".")) : "") if (t.has(`live_codes.field.${at}`)) return t(`live_codes.field.${at}`);
  return path;
}

export function display(value, path) {
  if (path === "kind") return t.enum("code_kind", value);
  if (path === "assignment.strategy") return t.enum("strategy", value);
  if (path === "printing") return t.enum("printing", value);
  return null;
}

// A moment of a day in the code's own time zone, as an ISO time with its offset (Asia/Shanghai has one all year).
export const isoAt = (day, minutes) => `${day}T${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}:00+08:00`;
