// What of a row is shown: which columns have room, and a cell's text.
import { computed, onBeforeUnmount, onMounted, ref, watch } from "vue";
import { t } from "frame/i18n.js";
import { listOf, money, number, when } from "frame/formats.js";
import { query, setQuery } from "./address.js";
import { getAt } from "./values.js";

const CARDS_BELOW = 640;
const MIN = 110;

export const isRight = (column) => column.align === "right" || column.kind === "money" || column.kind === "number";

export function cellText(column, row) {
  if (column.text) return column.text(row) ?? "–";
  const value = getAt(row, column.key);
  if (value === null || value === undefined || value === "") return "–";
  if (column.kind === "money") return money(value);
  if (column.kind === "number") return number(value);
  if (column.kind === "when") return when(value, column.when || "short");
  if (column.enum) return t.enum(column.enum, value);
  return Array.isArray(value) ? listOf(value) : String(value);
}

export function cellClass(column, row) {
  const tone = column.tone && column.tone(row);
  return tone ? `badge badge-${tone}` : column.muted ? "muted" : null;
}

// Columns: { key, label, kind?, text?, enum?, tone?, sort?, width?, min?, optional?, hidden?, onCards?: false, muted? }.
// What has no room goes by rank: the last ones first (`keep` stays). `cols` of the address: which optional ones are on.
export function useColumns(props, box) {
  const width = ref(1000);
  let observer = null;
  onMounted(() => {
    observer = new ResizeObserver(([entry]) => { width.value = entry.contentRect.width; });
    observer.observe(box.value);
    width.value = box.value.clientWidth;
  });
  onBeforeUnmount(() => observer && observer.disconnect());
  const cards = computed(() => width.value < CARDS_BELOW);
  const chosen = ref(null);
  watch(() => query().cols, (cols) => { chosen.value = cols === undefined ? null : String(cols).split(",").filter(Boolean); }, { immediate: true });
  const isOn = (column) => !column.optional || (chosen.value ? chosen.value.includes(column.key) : !column.hidden);
  const shownColumns = computed(() => {
    const on = props.columns.filter(isOn);
    if (cards.value) return on.filter((column, n) => !n || column.onCards !== false);
    const need = (columns) => columns.reduce((sum, column) => sum + (column.width || column.min || MIN), props.bulk.length ? 44 : 0);
    const kept = [...on];
    for (let n = kept.length - 1; n > 0 && need(kept) > width.value; n -= 1) if (!kept[n].keep) kept.splice(n, 1);
    return kept;
  });
  const columnItems = computed(() => props.columns.filter((column) => column.optional).map((column) => ({
    label: column.label,
    checked: isOn(column),
    run() {
      const on = props.columns.filter((other) => other.optional && (other === column ? !isOn(column) : isOn(other))).map((other) => other.key);
      setQuery({ ...query(), cols: on.join(",") || "," });
    },
  })));
  return { cards, shownColumns, columnItems };
}
