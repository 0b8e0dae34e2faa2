// What SOPs, their steps and touches are called for people.
import { duration } from "frame/formats.js";
import { t } from "frame/i18n.js";

export const STATUS_TONES = { active: "good", paused: "warn", stopped: "plain" };
export const TOUCH_STATUSES = ["scheduled", "handed_over", "sent", "skipped", "failed"];
export const TOUCH_TONES = { scheduled: "plain", handed_over: "info", sent: "good", skipped: "plain", failed: "bad" };

export const options = (field, values) => values.map((value) => ({ value, label: t.enum(field, value) }));

// When a step falls due, counted from what starts the SOP.
export function timeOf(step) {
  const isAtOnce = ["PT0S", "P0D"].includes(step.after);
  if (step.at) {
    const days = /^P(\d+)D$/.exec(step.after);
    return days && Number(days[1]) ? t("sops.time.day_at", { day: Number(days[1]) + 1, at: step.at }) : t("sops.time.next_at", { at: step.at });
  }
  return isAtOnce ? t("sops.time.at_once") : t("sops.time.after", { time: duration(step.after) });
}

export function triggerOf(plan, codes = []) {
  const event = typeof plan.trigger.event === "string" ? plan.trigger.event : "calendar";
  const said = t.enum("trigger", event);
  if (codes.length) return t("sops.trigger.of", { event: said, what: codes.join(t("sops.comma")) });
  return plan.trigger.tags ? t("sops.trigger.of", { event: said, what: plan.trigger.tags.join(t("sops.comma")) }) : said;
}

export function contentOf(step) {
  const text = step.content.find((one) => one.type === "text");
  const others = step.content.filter((one) => one !== text).map((one) => t.enum("content", one.type));
  return [text ? text.text : "", ...others.map((kind) => t("sops.attached", { kind }))].filter(Boolean).join(" ");
}

// A step's content as the phone shows it.
export function messagesOf(step) {
  return step.content.map((one) => {
    if (one.type === "text") return { text: one.text };
    if (one.type === "link") return { link: { title: one.title, text: one.desc || one.url } };
    if (one.type === "image") return { image: {} };
    return { text: t("sops.attached", { kind: one.title || t.enum("content", one.type) }) };
  });
}

// Who gets the step, in words; nothing when everybody does.
export function conditionsOf(step) {
  const said = [];
  const { all_tags: all, any_tags: any, no_tags: none } = step.when || {};
  const list = (tags) => tags.join(t("sops.comma"));
  if (all && all.length) said.push(t("sops.when.all", { tags: list(all) }));
  if (any && any.length) said.push(t("sops.when.any", { tags: list(any) }));
  if (none && none.length) said.push(t("sops.when.none", { tags: list(none) }));
  const { add_tags: add, remove_tags: remove } = step.then || {};
  if (add && add.length) said.push(t("sops.then.add", { tags: list(add) }));
  if (remove && remove.length) said.push(t("sops.then.remove", { tags: list(remove) }));
  return said;
}

export function reasonText(reason) {
  if (!reason) return "";
  if (t.has(`sops.reason.${reason}`)) return t(`sops.reason.${reason}`);
  const wecom = /^wecom_(-?\d+)$/.exec(reason);
  return wecom ? t("sops.reason.wecom", { code: wecom[1] }) : t("sops.reason.other", { reason });
}

export function describe(path) {
  const step = /^steps\[(\d+)\](?:\.(.+))?$/.exec(path);
  const plain = (text) => (t.has(`sops.field.${text}`) ? t(`sops.field.${text}`) : text);
  if (step) return t("sops.field.step", { n: Number(step[1]) + 1, field: step[2] ? plain(step[2].replace(/\[\d+\]/g, "")) : "" }).trim();
  return plain(path);
}
