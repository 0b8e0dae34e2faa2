// What can be picked: where its things are searched, and how one is shown. `show` gives { value, label, note }.
import { reactive, ref } from "vue";
import { api } from "frame/api.js";
import { t } from "frame/i18n.js";

const plain = (id, note) => (row) => ({ value: row[id], label: row.name || row[id], note: note ? note(row) : null, row });

// Calls by their name: a capability that is not there yet has none.
const call = (name) => name.split(".").reduce((at, word) => at && at[word], api);
const search = (name) => (query) => (call(name) ? call(name)(query) : Promise.resolve({ items: [] }));
const one = (name) => (id) => (call(name) ? call(name)(id) : Promise.reject(new Error(name)));

// Tags that codes and channels give: WeCom's whole list is WeCom's. One that is not among them can be typed.
let tagsAsked = null;

function readTags() {
  const lists = ["live_codes.list", "channels.list"].map((name) => search(name)({ limit: 200 }).then((page) => page.items, () => []));
  return Promise.all(lists).then((found) => [...new Set(found.flat().flatMap((row) => row.tags || []))].sort((a, b) => a.localeCompare(b, "zh")));
}

async function searchTags({ q = "", limit }) {
  tagsAsked = tagsAsked || readTags();
  const wanted = q.toLowerCase();
  return { items: (await tagsAsked).filter((name) => name.toLowerCase().includes(wanted)).slice(0, limit) };
}

// free: what is typed can be taken though it is not in the list.
export const PICKERS = {
  staff: { search: search("staff.list"), one: one("staff.get"), show: plain("staff_id", (row) => (row.problem ? t("kit.staff_inactive") : null)), icon: "person" },
  store: { search: search("stores.list"), one: one("stores.get"), show: plain("store_id", (row) => row.city || row.address), icon: "store" },
  code: { search: search("live_codes.list"), one: one("live_codes.get"), show: plain("live_code_id"), icon: "code" },
  template: { search: search("poster_templates.list"), one: one("poster_templates.get"), show: plain("template_id"), icon: "poster" },
  group: { search: search("groups.list"), one: one("groups.get"), show: plain("chat_id", (row) => (row.people ? t("kit.people", { count: row.people }) : null)), icon: "group" },
  coupon: { search: search("coupon_pools.list"), one: one("coupon_pools.get"), show: plain("pool_id"), icon: "coupon" },
  prospect_import: { search: search("prospect_imports.list"), one: one("prospect_imports.get"), show: plain("import_id"), icon: "upload" },
  ad_campaign: { search: search("ad_campaigns.list"), one: one("ad_campaigns.get"), show: plain("ad_campaign_id"), icon: "ad" },
  segment: { search: search("segments.list"), one: one("segments.get"), show: plain("segment_id"), icon: "people" },
  sop: { search: search("sops.list"), one: one("sops.get"), show: plain("sop_id"), icon: "plan" },
  customer: { search: search("customers.list"), one: one("customers.get"), show: plain("external_userid"), icon: "person" },
  distributor: { search: search("distributors.list"), one: one("distributors.get"), show: plain("distributor_id", (row) => row.plan_name), icon: "person" },
  plan: { search: search("distribution.plans.list"), one: one("distribution.plans.get"), show: plain("plan_id"), icon: "branch" },
  tag: { search: searchTags, one: null, show: (name) => ({ value: name, label: name }), icon: "tag", free: true },
  channel: { search: search("channels.list"), one: (id) => channels().then(() => ({ name: channelName(id), id })), show: (row) => ({ value: row.id || row.name, label: row.name, row }), icon: "channel", free: true },
};

// A channel is a name in codes, orders and figures, or another name that it had: all of them are read once.
const channelNames = reactive({});
const areChannelsRead = ref(false);
let channelsAsked = null;

function channels() {
  channelsAsked = channelsAsked || search("channels.list")({ limit: 200 }).then((page) => {
    for (const row of page.items) for (const name of [row.name, ...(row.aliases || [])]) channelNames[name] = row.name;
  }).catch(() => {}).then(() => { areChannelsRead.value = true; });
  return channelsAsked;
}

export function channelName(name) {
  channels();
  const isPlain = !channelNames[name] || channelNames[name] === name;
  if (isPlain && (name === "other" || name === "unknown")) return t(name === "other" ? "kit.channel_other" : "kit.channel_unknown");
  if (!areChannelsRead.value) return ""; // rather than a name that is not the one of today
  return name ? channelNames[name] || name : "";
}

const known = new Map();

// Those of which a brand has few are read at once: a form with a hundred members asks one question, not a hundred.
const FEW = new Set(["staff", "store", "template", "coupon", "group"]);
const few = new Map();

function firstOf(of) {
  if (!few.has(of)) {
    const { search: find, show } = PICKERS[of];
    few.set(of, find({ limit: 200 }).then((page) => new Map(page.items.map(show).map((choice) => [choice.value, choice]))).catch(() => new Map()));
  }
  return few.get(of);
}

// The thing by its id, asked for once; its id stands for a name that can't be had.
export function nameOf(of, id) {
  const key = `${of}:${id}`;
  if (!known.has(key)) known.set(key, ask(of, id));
  return known.get(key);
}

async function ask(of, id) {
  const picker = PICKERS[of];
  const found = FEW.has(of) ? (await firstOf(of)).get(id) : null;
  if (found || !picker.one) return found || { value: id, label: id };
  return picker.one(id).then(picker.show, () => (picker.free ? { value: id, label: id } : { value: id, label: id, missing: true }));
}

export function remember(of, choice) {
  known.set(`${of}:${choice.value}`, Promise.resolve(choice));
}
