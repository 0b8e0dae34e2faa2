// Addresses: which screen one shows, how it is loaded, and what going from one to another means for work, focus
// and title. `route` is where we are; `go`, `setQuery`, `link` lead elsewhere.
import * as vue from "vue";
import { computed, markRaw, nextTick, onBeforeUnmount, ref, shallowReactive, shallowRef, watchEffect } from "vue";
import { prepare, t } from "./i18n.js";
import { askToLeave, hasUnsaved } from "./unsaved.js";

const { manifest, assets, templates } = window.millrace;
export const root = `${window.millrace.base}console`;

// query: what stands behind the `?`, by name. key: another one is another visit of a screen.
export const route = shallowReactive({ name: null, path: "/", params: {}, query: {}, screen: null, key: "" });
export const view = shallowRef(null); // the component that is shown
export const isLoading = ref(false);
export const loadError = shallowRef(null);

const segments = (path) => path.split("/").filter(Boolean);
const own = []; // the frame's own screens: { path, component, name }
const screens = manifest.sections.flatMap((section) => section.routes.map((told) => ({ ...told, section })));
export const allScreens = screens;
let modules = null;
let register = null;

export function addOwnScreen(path, name, component) {
  own.push({ path, name, component: markRaw(component), section: null });
}

function matched(pattern, path) {
  const [wanted, given] = [segments(pattern), segments(path)];
  if (wanted.length !== given.length) return null;
  const params = {};
  for (let n = 0; n < wanted.length; n += 1) {
    if (wanted[n].startsWith(":")) params[wanted[n].slice(1)] = decode(given[n]);
    else if (wanted[n] !== given[n]) return null;
  }
  return params;
}

function decode(text) {
  try { return decodeURIComponent(text); } catch (_) { return text; }
}

// A word goes before a parameter: /stores/new before /stores/:id.
function find(path) {
  const found = [...own, ...screens].map((screen) => ({ screen, params: matched(screen.path, path) })).filter((one) => one.params);
  found.sort((a, b) => Object.keys(a.params).length - Object.keys(b.params).length);
  return found[0] || { screen: null, params: {} };
}

// The address of a screen by its name, or of a path: link("live_codes.one", { id }, { tab: "scans" }).
export function link(name, params = {}, query = {}) {
  const screen = [...own, ...screens].find((one) => one.name === name);
  if (!screen && !name.startsWith("/")) return null; // of a section that is not here: no link
  const path = screen ? screen.path.replace(/:(\w+)/g, (_, word) => encodeURIComponent(params[word])) : name;
  return `${root}${path === "/" && !Object.keys(query).length ? "" : path}${textOf(query)}`;
}

function textOf(query) {
  const kept = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return kept.length ? `?${new URLSearchParams(kept)}` : "";
}

// ---- Going ----

let at = 0; // which of our entries of the history we are at
const scrolled = new Map();
let isReturning = false;

function readable(address) {
  const url = new URL(address, location.href);
  return { path: `/${segments(url.pathname.slice(root.length)).join("/")}`, query: Object.fromEntries(url.searchParams), address: url.pathname + url.search + url.hash };
}

export async function go(address, { replace = false } = {}) {
  const to = readable(address.startsWith("/") && !address.startsWith(root) ? root + address : address);
  if (!(await askToLeave())) return false;
  scrolled.set(at, scrollY);
  if (!replace) at += 1;
  history[replace ? "replaceState" : "pushState"]({ at }, "", to.address);
  await open(to);
  return true;
}

// Filters, sort, search stand in the query: null takes one out. The screen stays.
export function setQuery(patch, { push = false } = {}) {
  const query = Object.fromEntries(Object.entries({ ...route.query, ...patch }).filter(([, value]) => value !== undefined && value !== null && value !== "").map(([name, value]) => [name, String(value)]));
  if (push) at += 1;
  history[push ? "pushState" : "replaceState"]({ at }, "", location.pathname + textOf(query));
  route.query = query;
}

async function back(event) {
  if (isReturning) { isReturning = false; return; }
  const before = at;
  const now = event.state && event.state.at !== undefined ? event.state.at : 0;
  const to = readable(location.href);
  if (hasUnsaved() && to.path !== route.path) {
    isReturning = true;
    history.go(before - now); // stay, and ask
    if (!(await askToLeave())) return;
    isReturning = true;
    history.go(now - before);
  }
  scrolled.set(before, scrollY);
  at = now;
  if (to.path === route.path) route.query = to.query;
  else await open(to, scrolled.get(now) || 0);
}

// ---- Showing ----

let asked = 0;
const RELOADED = "millrace.reloaded";

// A new version has files of other names: the page itself is asked for anew, once.
function isFirstFailure(address) {
  try {
    if (sessionStorage.getItem(RELOADED) === address) return false;
    sessionStorage.setItem(RELOADED, address);
    return true;
  } catch (_) {
    return false;
  }
}

async function open(to, scroll = 0) {
  const mine = (asked += 1);
  const { screen, params } = find(to.path);
  isLoading.value = true;
  loadError.value = null;
  try {
    const [component, use] = await Promise.all([screen ? componentOf(screen) : null, prepare(screen && screen.section)]);
    if (mine !== asked) return;
    use();
    try { sessionStorage.removeItem(RELOADED); } catch (_) { /* it was never kept */ }
    title.value = null;
    Object.assign(route, { name: screen ? screen.name || null : null, path: to.path, params, query: to.query, screen, key: to.path });
    view.value = component;
  } catch (error) {
    if (mine !== asked) return;
    if (isFirstFailure(to.address)) {
      location.assign(to.address);
      return;
    }
    loadError.value = error;
    Object.assign(route, { name: null, path: to.path, params, query: to.query, screen, key: to.path });
  } finally {
    if (mine === asked) isLoading.value = false;
  }
  await nextTick();
  scrollTo(0, scroll);
  focusHeading();
}

// A screen reader begins where the new screen begins; what a screen has focused itself stays.
export function focusHeading() {
  const active = document.activeElement;
  const main = document.querySelector("main");
  if (!main || (active && active !== document.body && main.contains(active))) return;
  const heading = main.querySelector("h1") || main;
  heading.setAttribute("tabindex", "-1");
  heading.focus({ preventScroll: true });
}

const loads = new Map(); // section → its components

async function componentOf(screen) {
  if (screen.component) return screen.component;
  const { section } = screen;
  const path = `sections/${section.id}/${screen.screen}`;
  if (section.files) {
    if (!loads.has(section.id)) loads.set(section.id, loadSection(section.files).catch((error) => { loads.delete(section.id); throw error; }));
    await loads.get(section.id);
  }
  return modules[path].default;
}

async function loadSection(files) {
  if (files !== manifest.more) restOfKit().catch(() => {}); // at the same time; awaited below
  const [code] = await Promise.all([import(assets + files.js), added("script", { src: assets + files.templates }), added("link", { rel: "stylesheet", href: assets + files.css })]);
  if (files !== manifest.more) await restOfKit();
  code.default(modules);
  linkTemplates(modules);
}

let rest = null;

// What of the kit the first load did without: asked for with the first section that is opened.
function restOfKit() {
  rest = rest || loadSection(manifest.more).then(() => register(modules), (error) => { rest = null; throw error; });
  return rest;
}

function added(kind, attributes) {
  return new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement(kind), attributes);
    element.onload = resolve;
    element.onerror = () => { element.remove(); reject(new Error(`${attributes.src || attributes.href} can't be loaded`)); };
    document.body.append(element); // after the first style, which stands there: what comes later goes before
  });
}

// Gives each component the render function of its template. `_rc`: as Vue's own compiler marks one with `with`.
export function linkTemplates(all) {
  for (const path of Object.keys(templates)) {
    const component = all[path] && all[path].default;
    if (!component || component.render) continue;
    component.render = templates[path](vue);
    component.render._rc = true;
    component.name = component.name || path.split("/").pop().replace(".vue", "");
    markRaw(component);
  }
}

// ---- Title ----

const title = ref(null);
export const brandName = ref("");

// In a screen's setup, when its title is more than its route's text: `useTitle(() => code.value && code.value.name)`.
export function useTitle(text) {
  const before = title.value;
  const stop = watchEffect(() => { title.value = text() || null; });
  onBeforeUnmount(() => { stop(); title.value = before; });
}

const pageTitle = computed(() => title.value || (route.name && t.has(`${route.name}.title`) ? t(`${route.name}.title`) : ""));

// ---- Beginning ----

function followed(event) {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const anchor = event.target.closest && event.target.closest("a[href]");
  if (!anchor || anchor.target || anchor.hasAttribute("download") || anchor.origin !== location.origin) return;
  const path = anchor.pathname;
  if ((path !== root && !path.startsWith(`${root}/`)) || path.startsWith(`${root}/login`) || path.startsWith(`${root}/assets/`)) return;
  if (anchor.hash && path === location.pathname && anchor.search === location.search) return;
  event.preventDefault();
  if (anchor.href === location.href) return;
  go(anchor.href);
}

// registered: told of all modules when more of them are there.
export function start(all, registered) {
  modules = all;
  register = registered;
  history.scrollRestoration = "manual";
  at = (history.state && history.state.at) || 0;
  history.replaceState({ at }, "");
  addEventListener("popstate", back);
  document.addEventListener("click", followed);
  watchEffect(() => { document.title = [pageTitle.value, brandName.value || "Millrace"].filter(Boolean).join(" · "); });
  return open(readable(location.href));
}

