// Unsaved work outlives a reload of its tab: kept by person and form, with the version it was begun from.
import { session } from "frame/session.js";

const name = (key) => `millrace.form.${session.me ? session.me.user : ""}.${key}`;

export function readDraft(key) {
  try {
    return JSON.parse(sessionStorage.getItem(name(key)));
  } catch (_) {
    return null;
  }
}

export function writeDraft(key, draft) {
  try {
    sessionStorage.setItem(name(key), JSON.stringify(draft));
  } catch (_) { /* full, or not allowed: the page itself still has the work */ }
}

export function forgetDraft(key) {
  try {
    sessionStorage.removeItem(name(key));
  } catch (_) { /* there is none, then */ }
}
