// What a member's account is, in words.
import { t } from "frame/i18n.js";

const BY_STATUS = { 1: "active", 2: "disabled", 4: "not_activated", 5: "left" };

export const STATES = Object.entries(BY_STATUS).map(([value, state]) => ({ value, state }));
export const stateOf = (row) => (row.problem ? row.problem.replace("member_", "") : BY_STATUS[row.status] || "active");
export const stateText = (row) => t.enum("staff_state", stateOf(row));
export const toneOf = (row) => (!row.problem && row.status === 1 ? "good" : row.status === 2 || row.status === 5 ? "bad" : "warn");
export const isAgeing = (row) => Boolean(row.started_at) && row.cap_today !== null;
