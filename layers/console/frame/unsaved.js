// Work that is not saved is not lost by going elsewhere: it is asked for first, and a draft of it survives a reload.
import { getCurrentInstance, isRef, onBeforeUnmount, reactive, ref, toRaw, unref, watch } from "vue";
import { session } from "./session.js";

const guards = new Set();

export const hasUnsaved = () => [...guards].some((isDirty) => isDirty());

// In a screen's setup: `guardUnsaved(() => dirty.value)`.
export function guardUnsaved(isDirty) {
  guards.add(isDirty);
  if (getCurrentInstance()) onBeforeUnmount(() => guards.delete(isDirty));
  return () => guards.delete(isDirty);
}

window.addEventListener("beforeunload", (event) => {
  if (hasUnsaved()) event.preventDefault();
});

// The question that the shell asks; `answer` is set while it is open.
export const leaving = reactive({ open: false, answer: null });

export function askToLeave() {
  if (!hasUnsaved()) return Promise.resolve(true);
  return new Promise((resolve) => {
    leaving.answer = (yes) => {
      leaving.open = false;
      leaving.answer = null;
      if (yes) guards.clear();
      resolve(yes);
    };
    leaving.open = true;
  });
}

const keyOf = (name) => `millrace.draft.${session.me ? session.me.user : ""}.${name}`;

// A draft of `state` (a ref or a reactive object) under a name, kept in this tab until it is saved or thrown away.
// `restored` is true when it was filled from one. `isDirty()` says whether there is anything to keep.
export function useDraft(name, state, isDirty = () => true) {
  const key = keyOf(name);
  const restored = ref(false);
  try {
    const kept = sessionStorage.getItem(key);
    if (kept) {
      const value = JSON.parse(kept);
      if (isRef(state)) state.value = value;
      else Object.assign(state, value);
      restored.value = true;
    }
  } catch (_) { /* a draft that can't be read is none */ }
  const keep = () => {
    try {
      if (isDirty()) sessionStorage.setItem(key, JSON.stringify(toRaw(unref(state))));
      else sessionStorage.removeItem(key);
    } catch (_) { /* full, or not allowed: the question at leaving stays */ }
  };
  const stop = watch(state, keep, { deep: true });
  const discard = () => {
    restored.value = false;
    try { sessionStorage.removeItem(key); } catch (_) { /* there is none, then */ }
  };
  return { restored, discard, stop };
}
