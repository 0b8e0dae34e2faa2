// The days that are looked at stand in the address: `from`, `to`; without them the last `days`.
import { computed } from "vue";
import { route, setQuery } from "frame/router.js";

const DAY = 86400000;
const OFFSET = 8 * 3600000; // Asia/Shanghai

const dayOf = (time) => new Date(time + OFFSET).toISOString().slice(0, 10);
export const plus = (day, days) => new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10);
export const lengthOf = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / DAY) + 1;

export function usePeriod(days = 7) {
  const today = () => dayOf(Date.now());
  const to = computed(() => route.query.to || today());
  const from = computed(() => route.query.from || plus(to.value, 1 - days));
  const length = computed(() => lengthOf(from.value, to.value));
  const before = computed(() => ({ from: plus(from.value, -length.value), to: plus(from.value, -1) }));
  const choose = (count) => setQuery({ from: plus(today(), 1 - count), to: today() });
  return { from, to, length, before, choose };
}
