// What stores are called for people, what is wrong with one, and where it lies on a picture.
import { number } from "frame/formats.js";
import { t } from "frame/i18n.js";

export const STATUSES = ["open", "closed"];
export const FAR = 50000; // metres to the next store: whoever scans between the two goes far
export const GAPS = ["no_guides", "closed", "out_of_hours", "far"];
export const GAP_TONES = { no_guides: "bad", closed: "plain", out_of_hours: "info", far: "warn", ok: "good" };
const BODY = ["store_id", "name", "city", "address", "latitude", "longitude", "datum", "staff_ids", "chat_ids", "hours", "status"];

export const options = (field, values, hints = false) => values.map((value) => ({ value, label: t.enum(field, value), hint: hints ? t(`stores.hint.${value}`) : undefined }));
export const blankStore = () => ({ store_id: "", name: "", city: "", address: "", latitude: null, longitude: null, datum: "gcj02", staff_ids: [], chat_ids: [], hours: null, status: "open" });
export const bodyOf = (answer) => Object.fromEntries(BODY.map((key) => [key, answer[key]]));

export function daysText(weekdays) {
  const days = [...weekdays].sort((a, b) => a - b);
  const key = days.join("");
  if (key === "1234567") return t("stores.days.every");
  if (key === "12345") return t("stores.days.work");
  if (key === "67") return t("stores.days.weekend");
  return days.map((day) => t(`stores.day.${day}`)).join(t("stores.comma"));
}

export const hoursText = (hours) => (hours ? t("stores.hours.one", { days: daysText(hours.weekdays), from: hours.from, to: hours.to }) : t("stores.always_open"));

export function describe(path) {
  const plain = path.replace(/\[\d+\]/g, "");
  for (let at = plain; at; at = at.includes(".") ? at.slice(0, at.lastIndexOf(".")) : "") if (t.has(`stores.field.${at}`)) return t(`stores.field.${at}`);
  return path;
}

export function display(value, path) {
  if (path === "status") return t.enum("store_status", value);
  if (path === "datum") return t.enum("datum", value);
  if (path === "hours") return hoursText(value);
  return null;
}

export const metresText = (metres) => (metres < 1000 ? t("stores.near.metres", { m: Math.round(metres) }) : t("stores.near.distance", { km: number(metres / 1000, metres < 10000 ? 1 : 0) }));

// The worst of what is wrong with a store on the map.
export function gapsOf(point) {
  const gaps = [];
  if (!point.guides) gaps.push("no_guides");
  if (point.closed) gaps.push("closed");
  else if (!point.open) gaps.push("out_of_hours");
  if (point.nearest_m !== null && point.nearest_m > FAR) gaps.push("far");
  return gaps;
}

export const toneOf = (point) => GAP_TONES[gapsOf(point)[0] || "ok"];

// Roughly where China is, as the API judges it: degrees north, degrees east.
const inChina = (north, east) => north >= 3 && north <= 54 && east >= 73 && east <= 136;

export function positionProblem(latitude, longitude) {
  if (latitude === null || longitude === null || latitude === "" || longitude === "" || Number.isNaN(Number(latitude)) || Number.isNaN(Number(longitude))) return null;
  const [north, east] = [Number(latitude), Number(longitude)];
  if (inChina(north, east)) return null;
  return inChina(east, north) ? "swapped" : "outside";
}

// Mercator, one unit a degree of longitude: a small place has no distortion that one sees.
export const project = (latitude, longitude) => ({ x: longitude, y: -(180 / Math.PI) * Math.log(Math.tan(Math.PI / 4 + (latitude * Math.PI) / 360)) });
