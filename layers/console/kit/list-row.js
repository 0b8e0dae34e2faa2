// A row of a list, and the same as a card: render functions by hand, and nothing but its own row changes one, for
// rows come and go with every step of scrolling.
import { h } from "vue";
import { t } from "frame/i18n.js";
import { cellClass, cellText, isRight } from "./list-columns.js";

const props = ["row", "n", "columns", "href", "isOpenable", "canPick", "isPicked", "slots", "height"];

const content = (given, column) => {
  const slot = given.slots[`cell-${column.key}`];
  return slot ? slot({ row: given.row }) : null;
};
const plain = (given, column) => content(given, column) || h("span", { class: cellClass(column, given.row) }, cellText(column, given.row));
const box = (given) => h("input", { type: "checkbox", "data-pick": "", checked: given.isPicked, "aria-label": t("kit.select_row", { name: cellText(given.columns[0], given.row) }) });
const title = (given, more) => h(given.href ? "a" : given.isOpenable ? "button" : "span", { class: `datalist-title cut ${more}`, href: given.href || null, type: !given.href && given.isOpenable ? "button" : null, "data-row": given.n }, content(given, given.columns[0]) || cellText(given.columns[0], given.row));

export const ListRow = {
  props,
  setup(given) {
    return () => {
      const cells = given.canPick ? [h("td", { class: "datalist-check" }, box(given))] : [];
      given.columns.forEach((column, at) => cells.push(h("td", { class: isRight(column) ? "right" : null }, [at ? plain(given, column) : title(given, "")])));
      return h("tr", { "data-n": given.n, "aria-rowindex": given.n + 2, class: ["datalist-row", given.isPicked && "datalist-picked", (given.href || given.isOpenable) && "datalist-open"] }, cells);
    };
  },
};

export const ListCard = {
  props,
  setup(given) {
    return () => {
      const { row, slots } = given;
      const whole = slots.card && slots.card({ row });
      const head = [given.canPick ? box(given) : null, title(given, "grow"), slots["card-badge"] ? slots["card-badge"]({ row }) : null];
      const facts = given.columns.slice(1).map((column) => h("div", [h("dt", { class: "tiny muted cut" }, column.label), h("dd", { class: "cut small" }, [plain(given, column)])]));
      return h("li", { "data-n": given.n, class: ["datalist-card", given.isPicked && "datalist-picked"], style: { height: `${given.height}px` } }, whole || [h("div", { class: "datalist-card-in" }, [h("div", { class: "row row-s row-keep" }, head), h("dl", { class: "datalist-facts" }, facts)])]);
    };
  },
};
