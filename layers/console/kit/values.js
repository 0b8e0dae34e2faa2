// Values of forms: paths into a body, and what a control shows against what the API takes.

export function parsePath(path) {
  return String(path).replace(/\[(\d+)\]/g, ".$1").split(".").filter(Boolean).map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

export function getAt(body, path) {
  let at = body;
  for (const part of parsePath(path)) {
    if (at === null || at === undefined) return undefined;
    at = at[part];
  }
  return at;
}

export function setAt(body, path, value) {
  const parts = parsePath(path);
  let at = body;
  for (let n = 0; n < parts.length - 1; n += 1) {
    if (at[parts[n]] === null || at[parts[n]] === undefined) at[parts[n]] = typeof parts[n + 1] === "number" ? [] : {};
    at = at[parts[n]];
  }
  at[parts[parts.length - 1]] = value;
}

export function copy(value) {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

// Equal as JSON, whatever the order of an object's fields; a field that is undefined is absent.
export function same(a, b) {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return (a ?? null) === (b ?? null);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys) if (!same(a[key], b[key])) return false;
  return true;
}

// [{ path, from, to }] down to the plain values and lists that differ.
export function differences(from, to, path = "") {
  if (same(from, to)) return [];
  const plain = (value) => value === null || value === undefined || typeof value !== "object" || Array.isArray(value);
  if (plain(from) || plain(to)) {
    const lists = Array.isArray(from) && Array.isArray(to) && from.length === to.length && from.some((item) => item && typeof item === "object");
    if (!lists) return [{ path, from, to }];
    return from.flatMap((item, n) => differences(item, to[n], `${path}[${n}]`));
  }
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) => differences(from[key], to[key], path ? `${path}.${key}` : key));
}

// What changed, as a JSON merge patch (RFC 7396): lists whole, what is gone as null.
export function mergePatch(from, to) {
  const patch = {};
  for (const key of new Set([...Object.keys(from || {}), ...Object.keys(to || {})])) {
    const a = from ? from[key] : undefined;
    const b = to ? to[key] : undefined;
    if (same(a, b)) continue;
    const objects = a && b && typeof a === "object" && typeof b === "object" && !Array.isArray(a) && !Array.isArray(b);
    patch[key] = objects ? mergePatch(a, b) : b === undefined ? null : b;
  }
  return patch;
}

// A body with a patch's changes; what the patch takes away is null.
export function patched(body, patch) {
  if (!patch || typeof patch !== "object" || Array.isArray(patch)) return copy(patch);
  const result = body && typeof body === "object" && !Array.isArray(body) ? copy(body) : {};
  for (const key of Object.keys(patch)) result[key] = patched(result[key], patch[key]);
  return result;
}

export const bytes = (text) => new TextEncoder().encode(text || "").length;

export function yuanOf(fen) {
  if (fen === null || fen === undefined || fen === "") return "";
  const sign = fen < 0 ? "-" : "";
  const whole = Math.abs(Math.round(fen));
  return `${sign}${Math.floor(whole / 100)}.${String(whole % 100).padStart(2, "0")}`;
}

// Whole fen of what was typed; null for nothing, undefined for what is no amount.
export function fenOf(text) {
  const plain = String(text).replace(/[,，¥￥\s]/g, "");
  if (!plain) return null;
  const found = /^(-?)(\d{1,12})(?:\.(\d{0,2}))?$/.exec(plain);
  if (!found) return undefined;
  return Number(`${found[1]}${Number(found[2]) * 100 + Number((found[3] || "").padEnd(2, "0"))}`);
}

const UNITS = [["D", "days"], ["H", "hours"], ["M", "minutes"], ["S", "seconds"]];
const SECONDS = { days: 86400, hours: 3600, minutes: 60, seconds: 1 };

// { amount, unit } of an ISO 8601 duration; the largest unit that is whole.
export function durationParts(iso) {
  const found = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(iso || "");
  if (!found || !iso) return { amount: "", unit: "minutes" };
  const [, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = found;
  const all = Number(weeks) * 604800 + Number(days) * 86400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  if (!all) return { amount: 0, unit: "minutes" };
  const unit = ["days", "hours", "minutes", "seconds"].find((name) => all % SECONDS[name] === 0);
  return { amount: all / SECONDS[unit], unit };
}

export function durationOf(amount, unit) {
  if (amount === "" || amount === null || amount === undefined) return null;
  const letter = UNITS.find(([, name]) => name === unit)[0];
  return letter === "D" ? `P${amount}D` : `PT${amount}${letter}`;
}

const OFFSET = 8 * 3600000; // Asia/Shanghai: no daylight saving

export function localOf(iso) {
  if (!iso) return "";
  const at = Date.parse(iso);
  return Number.isNaN(at) ? "" : new Date(at + OFFSET).toISOString().slice(0, 16);
}

export function isoOf(local) {
  return local ? `${local.length === 16 ? `${local}:00` : local}+08:00` : null;
}

let last = 0;
export function uid(prefix = "k") {
  last += 1;
  return `${prefix}-${last}`;
}
