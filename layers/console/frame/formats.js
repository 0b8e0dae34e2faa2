// Money, numbers and times as people write them. Times are those of Asia/Shanghai, which all schedules are in.
import { language } from "./i18n.js";
import { t } from "./i18n.js";

const ZONE = "Asia/Shanghai";
const NONE = "–";
const isNone = (value) => value === null || value === undefined || value === "" || Number.isNaN(value);
const locale = () => (language.value === "en" ? "en-GB" : "zh-CN");

const made = new Map();
function formatter(kind, name, options) {
  const key = `${locale()} ${name}`;
  if (!made.has(key)) made.set(key, new kind(locale(), options));
  return made.get(key);
}

export function number(value, digits = 0) {
  if (isNone(value)) return NONE;
  return formatter(Intl.NumberFormat, `n${digits}`, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

// Fen, as ¥1,234.50.
export function money(fen) {
  if (isNone(fen)) return NONE;
  return `${fen < 0 ? "-" : ""}¥${number(Math.abs(fen) / 100, 2)}`;
}

const LARGE = { zh: [[1e10, "亿"], [1e6, "万"]], en: [[1e11, "bn"], [1e8, "m"]] }; // fen

// Money where there is room for `most` characters: ¥1,234,567.89, or ¥123.46 万.
export function moneyIn(fen, most) {
  const whole = money(fen);
  if (whole.length <= most) return whole;
  const isEnglish = language.value === "en";
  const unit = LARGE[isEnglish ? "en" : "zh"].find(([size]) => Math.abs(fen) >= size);
  return unit ? `${fen < 0 ? "-" : ""}¥${number(Math.abs(fen) / unit[0], 2)}${isEnglish ? "" : " "}${unit[1]}` : whole;
}

// Several names in one text.
export const listOf = (names) => names.join(language.value === "en" ? ", " : "、");

// Basis points, as 12.5%.
export function percent(bps, digits = 1) {
  return isNone(bps) ? NONE : `${(bps / 100).toFixed(digits).replace(/\.0+$/, "")}%`;
}

// A day is told apart from another in Asia/Shanghai, too.
const dayOf = (at) => new Date(at.getTime() + 8 * 3600000).toISOString().slice(0, 10);

// kind: "short" (11月30日 14:05; with the year when it is another), "date", "time", "full" (to the second), "ago".
export function when(iso, kind = "short") {
  if (isNone(iso)) return NONE;
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(iso);
  const at = new Date(isDay ? `${iso}T00:00:00+08:00` : iso);
  if (Number.isNaN(at.getTime())) return String(iso);
  if (kind === "ago") return ago(at);
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const day = { month: language.value === "en" ? "short" : "long", day: "numeric" };
  const year = dayOf(at).slice(0, 4) === dayOf(new Date()).slice(0, 4) && kind !== "full" ? {} : { year: "numeric" };
  let options = { ...year, ...day, ...clock };
  if (kind === "date" || isDay) options = { ...year, ...day };
  if (kind === "time") options = clock;
  if (kind === "full") options.second = "2-digit";
  return formatter(Intl.DateTimeFormat, `d${JSON.stringify(options)}`, { ...options, timeZone: ZONE }).format(at);
}

const STEPS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];

export function ago(iso) {
  if (isNone(iso)) return NONE;
  const seconds = (new Date(iso).getTime() - Date.now()) / 1000;
  const step = STEPS.find(([, length]) => Math.abs(seconds) >= length);
  if (!step) return t("frame.now");
  return formatter(Intl.RelativeTimeFormat, "r", { numeric: "auto" }).format(Math.trunc(seconds / step[1]), step[0]);
}

const UNITS = [["days", 86400], ["hours", 3600], ["minutes", 60], ["seconds", 1]];

// An ISO 8601 duration, or seconds: "2 天", "1 小时 30 分钟".
export function duration(given) {
  if (isNone(given)) return NONE;
  let left = Number(given);
  if (Number.isNaN(left)) {
    const found = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(given);
    if (!found) return String(given);
    left = [604800, 86400, 3600, 60, 1].reduce((sum, length, n) => sum + length * Number(found[n + 1] || 0), 0);
  }
  const parts = [];
  for (const [unit, length] of UNITS) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count && parts.length < 2) parts.push(t(`frame.${unit}`, { count }));
  }
  return parts.join(" ") || t("frame.seconds", { count: 0 });
}

// Bytes of a file: 1.2 MB.
export function fileSize(bytes) {
  if (isNone(bytes)) return NONE;
  const step = bytes < 1024 ? 0 : bytes < 1048576 ? 1 : 2;
  return `${number(bytes / 1024 ** step, step && bytes / 1024 ** step < 100 ? 1 : 0)} ${["B", "KB", "MB"][step]}`;
}
