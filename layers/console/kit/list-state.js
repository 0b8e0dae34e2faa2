// A list's search, sort and filters stand in the address; its rows come page by page.
import { computed, shallowRef, ref, watch } from "vue";
import { query, setQuery } from "./address.js";

export const PAGE = 50;

export function useListState(props) {
  const filterKeys = computed(() => props.filters.map((filter) => filter.key));
  const chosen = computed(() => {
    const at = query();
    return Object.fromEntries(filterKeys.value.filter((key) => at[key] !== undefined && at[key] !== "").map((key) => [key, at[key]]));
  });
  const q = computed(() => query().q || "");
  const sort = computed(() => query().sort || props.defaultSort);
  const change = (news) => setQuery({ ...query(), ...news });
  const asked = computed(() => props.toQuery({ ...props.fixed, ...chosen.value, ...(q.value ? { q: q.value } : {}), ...(sort.value ? { sort: sort.value } : {}) }));
  const clear = () => change(Object.fromEntries([...filterKeys.value, "q"].map((key) => [key, null])));
  const isNarrowed = computed(() => Boolean(q.value) || Object.keys(chosen.value).length > 0);
  return { chosen, q, sort, change, asked, clear, isNarrowed };
}

export function useRows(props, asked) {
  const rows = shallowRef([]);
  const total = ref(null);
  const totalIs = ref("exact");
  const cursor = ref(null);
  const state = ref("loading"); // loading, ready, failed
  const error = shallowRef(null);
  const more = ref("idle"); // idle, loading, failed
  let run = 0;
  function take(page) {
    total.value = page.total ?? null;
    totalIs.value = page.total_is || "exact";
    cursor.value = page.next_cursor || null;
  }
  async function reload({ quiet = false } = {}) {
    const mine = (run += 1);
    if (!quiet) state.value = "loading";
    more.value = "idle";
    try {
      const page = await props.load({ ...asked.value, limit: quiet ? Math.min(200, Math.max(PAGE, rows.value.length)) : PAGE });
      if (mine !== run) return;
      rows.value = page.items;
      take(page);
      error.value = null;
      state.value = "ready";
    } catch (problem) {
      if (mine !== run) return;
      if (quiet && state.value === "ready") return;
      error.value = problem;
      state.value = "failed";
    }
  }
  async function loadMore({ again = false } = {}) {
    if (!cursor.value || state.value !== "ready" || more.value === "loading" || (more.value === "failed" && !again)) return;
    const mine = run;
    more.value = "loading";
    try {
      const page = await props.load({ ...asked.value, limit: rows.value.length > PAGE ? 200 : PAGE, cursor: cursor.value });
      if (mine !== run) return;
      rows.value = rows.value.concat(page.items);
      cursor.value = page.next_cursor || null;
      more.value = "idle";
    } catch (problem) {
      if (mine === run) more.value = "failed";
    }
  }
  watch(() => JSON.stringify(asked.value), () => reload(), { immediate: true });
  watch(() => props.version, (now, before) => { if (before !== undefined && now !== before) reload({ quiet: true }); });
  return { rows, total, totalIs, cursor, state, error, more, reload, loadMore };
}
