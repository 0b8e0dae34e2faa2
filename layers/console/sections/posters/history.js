// Undo and redo of what is designed: snapshots of the whole, which is small. The template's name is not drawn, so
// it stays as it was typed.
import { computed, ref, shallowRef } from "vue";

const MOST = 100;
const designOf = ({ name: _, ...design }) => JSON.stringify(design);

export function useHistory(form) {
  const states = shallowRef([designOf(form)]);
  const at = ref(0);
  function keep() {
    const now = designOf(form);
    if (now === states.value[at.value]) return;
    states.value = [...states.value.slice(0, at.value + 1), now].slice(-MOST);
    at.value = states.value.length - 1;
  }
  function go(step) {
    keep();
    const next = at.value + step;
    if (next < 0 || next >= states.value.length) return;
    at.value = next;
    const state = JSON.parse(states.value[next]);
    for (const name of Object.keys(form)) if (name !== "name" && !(name in state)) delete form[name];
    Object.assign(form, state);
  }
  const isKept = () => designOf(form) === states.value[at.value];
  return {
    keep,
    undo: () => go(-1),
    redo: () => go(1),
    canUndo: computed(() => at.value > 0 || !isKept()),
    canRedo: computed(() => at.value < states.value.length - 1 && isKept()),
  };
}
