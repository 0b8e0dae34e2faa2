// The API, by the names that the command line has: `api.live_codes.list({ limit: 50 })`, `api.live_codes.get(id)`,
// `api.live_codes.change(id, { name }, { base: loaded })`. Ids first, then the fields of query or body, then options:
//   base       the answer that was changed: its version goes along, and who came second gets 409 with `present`
//   key        an Idempotency-Key: the same call twice is one
//   signal     an AbortSignal
//   unchanged  an answer's etag(): null comes back when there is nothing new
// A Blob, a File or a string in place of the fields is sent as it is. `api.live_codes.poster_png.url(id, { width: 600 })`
// is the address, for pictures and downloads. Errors are ApiError.
import { toRaw } from "vue";
import routes from "frame/routes.js";

export class ApiError extends Error {
  // errors: [{ field, code, params, message }]; present: the state that a change came too late for (409).
  constructor(status, told = {}) {
    // The detail of many errors names fields as the API does; what is wrong with them is said without.
    const said = (told.errors || []).map((error) => error.message).filter(Boolean);
    super(said.join(context.language() === "en" ? "; " : "；") || told.detail || told.title || String(status));
    this.name = "ApiError";
    this.status = status;
    this.title = told.title || "";
    this.errors = told.errors || [];
    this.present = told.present;
    this.retryAfter = told.retryAfter;
  }
}

// What the frame hangs in: the language of answers, the session's token, what a lost session leads to.
export const context = { language: () => "zh", csrf: null, renew: null, signedOut: () => {}, offline: () => "" };

const etags = new WeakMap();
const latest = new Map();

export const etag = (answer) => (answer && typeof answer === "object" ? etags.get(toRaw(answer)) || null : null);

function withQuery(address, query) {
  const told = new URLSearchParams();
  for (const [name, value] of Object.entries(query || {})) {
    if (value !== undefined && value !== null && value !== "") told.append(name, Array.isArray(value) ? value.join(",") : value);
  }
  const text = told.toString();
  return text ? `${address}?${text}` : address;
}

async function problem(response) {
  let told = {};
  try {
    told = await response.json();
  } catch (_) { /* a gateway's own page: the status says enough */ }
  told.retryAfter = Number(response.headers.get("Retry-After")) || undefined;
  return new ApiError(response.status, told);
}

async function ask(method, address, { body, headers, signal }) {
  try {
    return await fetch(address, { method, body, headers, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { detail: context.offline() });
  }
}

// What start.classic.js asked while the rest was loading, once. Null: nothing, or it got no answer.
async function askedEarly(address) {
  const { early } = window.millrace;
  const asked = early[address];
  delete early[address];
  return asked ? asked.catch(() => null) : null;
}

const isRaw = (value) => typeof value === "string" || value instanceof Blob || value instanceof ArrayBuffer;

export async function call(method, path, { query, body, takes } = {}, options = {}) {
  const address = withQuery(`${window.millrace.base}${path}`, query);
  const headers = { "Accept-Language": context.language(), Accept: "application/json" };
  let sent;
  if (isRaw(body)) {
    sent = body;
    headers["Content-Type"] = options.type || body.type || (takes && !takes.includes("*") ? takes : "application/octet-stream");
  } else if (body !== undefined) {
    sent = JSON.stringify(body);
    headers["Content-Type"] = "application/json";
  }
  const writes = method !== "GET";
  if (writes && context.csrf) headers["X-CSRF-Token"] = context.csrf;
  if (options.key) headers["Idempotency-Key"] = options.key;
  if (options.unchanged) headers["If-None-Match"] = options.unchanged;
  if (["PATCH", "PUT", "DELETE"].includes(method)) {
    const version = "base" in options ? etag(options.base) : latest.get(path);
    if (version) headers["If-Match"] = version;
  }
  let response = (method === "GET" && (await askedEarly(address))) || (await ask(method, address, { body: sent, headers, signal: options.signal }));
  if (response.status === 403 && writes && context.renew && (await context.renew())) {
    headers["X-CSRF-Token"] = context.csrf; // signed in anew in another tab
    response = await ask(method, address, { body: sent, headers, signal: options.signal });
  }
  if (response.status === 304) return null;
  if (!response.ok) {
    const error = await problem(response);
    if (response.status === 401 && !options.quiet) context.signedOut();
    throw error;
  }
  if (response.status === 204) return null;
  const isJson = (response.headers.get("Content-Type") || "").includes("json");
  const answer = isJson ? await response.json() : await response.blob();
  const version = response.headers.get("ETag");
  if (version && answer && typeof answer === "object") {
    etags.set(answer, version);
    latest.set(path, version);
  }
  return answer;
}

function made(method, path, more) {
  const parts = path.split("{}");
  const count = parts.length - 1;
  const takes = (more.find((word) => word.startsWith("@")) || "").slice(1);
  const queries = new Set((more.find((word) => !word.startsWith("@")) || "").split(",").filter(Boolean));
  const pathOf = (ids) => {
    if (ids.length < count || ids.some((id) => id === undefined || id === null || id === "")) throw new TypeError(`api/${path} needs ${count} id(s)`);
    return `api/${parts.reduce((told, part, n) => told + encodeURIComponent(ids[n - 1]) + part)}`;
  };
  const run = (...given) => {
    const [fields, options] = given.slice(count);
    const address = pathOf(given.slice(0, count));
    if (method === "GET") return call(method, address, { query: fields }, options);
    if (isRaw(fields)) return call(method, address, { body: fields, query: options && options.query, takes }, options);
    const query = {};
    const body = {};
    for (const [name, value] of Object.entries(fields || {})) (queries.has(name) ? query : body)[name] = value;
    const isEmpty = method === "DELETE" || (fields === undefined && method !== "PUT");
    return call(method, address, { query, body: isEmpty ? undefined : body }, options);
  };
  run.url = (...given) => withQuery(window.millrace.base + pathOf(given.slice(0, count)), given[count]);
  return run;
}

export const api = {};
for (const line of routes.split("\n")) {
  const [method, name, path, ...more] = line.split(" ");
  const words = name.split(".");
  const last = words.pop();
  let place = api;
  for (const word of words) place = place[word] || (place[word] = {});
  place[last] = Object.assign(made(method, path, more), place[last]);
}
