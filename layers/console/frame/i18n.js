// Texts in the person's language. `t("live_codes.list.title")`, `t("kit.people", { count: 3 })`; a text in English
// may choose by number: "{count} {count|code|codes}". `t.enum("status", row.status)` is the text of a stored value.
import { ref, shallowRef } from "vue";

const { manifest, assets } = window.millrace;

export const language = ref(window.millrace.language);
const words = shallowRef({});
const loaded = new Map(); // file → texts
let shown = null; // the section whose texts come before the first's

function texts(file) {
  if (!loaded.has(file)) loaded.set(file, import(`${assets}${file}`).then((module) => module.default));
  return loaded.get(file);
}

// The texts for a section's screens, ready; `use` takes them into use together with the screen.
export async function prepare(section) {
  const now = language.value;
  const files = section && section.files ? [manifest.more, section.files] : [];
  const parts = await Promise.all([texts(manifest.texts[now]), ...files.map((file) => texts(file[now]))]);
  return function use() {
    shown = section;
    words.value = Object.assign({}, ...parts);
    document.documentElement.lang = now === "en" ? "en" : "zh-CN";
  };
}

export async function setLanguage(code) {
  language.value = code;
  try { localStorage.setItem("millrace.language", code); } catch (_) { /* for this page alone, then */ }
  (await prepare(shown))();
}

function filled(text, given) {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (all, name, one, many) => {
    if (!given || given[name] === undefined) return all;
    return one === undefined ? String(given[name]) : Number(given[name]) === 1 ? one : many;
  });
}

export function t(key, given) {
  const text = words.value[key];
  if (text === undefined) {
    console.error(`no text ${key}`);
    return key;
  }
  return text.includes("{") ? filled(text, given) : text;
}

t.has = (key) => words.value[key] !== undefined;
t.enum = (field, value) => (value === null || value === undefined || value === "" ? "–" : t(`enum.${field}.${value}`));
