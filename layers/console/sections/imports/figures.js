// What an import has found, in words and figures.
import { number } from "frame/formats.js";
import { t } from "frame/i18n.js";

export const PARTS = ["staff", "tags", "customers", "groups"];
export const FIGURES = ["seen", "new", "changed"];
export const TONES = { finished: "good", failed: "bad", running: "info", queued: "plain" };

export function percentOf(part) {
  if (part.status === "finished") return 100;
  return part.total ? Math.min(99, Math.round((part.done / part.total) * 100)) : part.status === "running" ? 5 : 0;
}

export const difference = (part) => (part.new || part.changed ? t("imports.difference", { new: number(part.new), changed: number(part.changed) }) : t("imports.no_difference"));
