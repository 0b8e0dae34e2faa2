// One thing that a screen shows, with its states: `value` is null until it is there, `error` says why it can't be.
import { shallowRef } from "vue";

export function useLoaded(ask) {
  const value = shallowRef(null);
  const error = shallowRef(null);
  async function load() {
    error.value = null;
    try {
      value.value = await ask();
    } catch (problem) {
      error.value = problem;
    }
  }
  return { value, error, load };
}
