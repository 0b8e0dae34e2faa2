// A word at the edge of the screen: `toast(t("saved"))`, `toast.bad(error)`, with an action: `{ action: { text, run } }`.
import { shallowReactive } from "vue";

export const toasts = shallowReactive([]);
let last = 0;

export function toast(text, { kind = "good", action = null, seconds = action ? 10 : 5 } = {}) {
  last += 1;
  const one = { id: last, text: text instanceof Error ? text.message : text, kind, action };
  toasts.push(one);
  const close = () => {
    const at = toasts.indexOf(one);
    if (at >= 0) toasts.splice(at, 1);
  };
  one.close = close;
  one.run = () => { close(); action.run(); };
  if (kind !== "bad" || action) setTimeout(close, seconds * 1000);
  else setTimeout(close, 12000);
  return close;
}

toast.bad = (text, options) => toast(text, { ...options, kind: "bad" });
