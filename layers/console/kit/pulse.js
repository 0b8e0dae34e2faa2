// What is live: one small question every two seconds, only while the page is seen, answered by 304 when nothing is new.
import { onBeforeUnmount, onMounted, ref, shallowRef } from "vue";
import { api, etag } from "frame/api.js";

const EVERY = 2000;
const LONGEST = 30000; // between questions that failed

// changed(pulse): called when something is new, and not for the first answer. version: another string at each change.
export function usePulse(changed = () => {}) {
  const version = ref(undefined);
  const pulse = shallowRef(null);
  const isLive = ref(false);
  let timer = null;
  let wait = EVERY;
  let gone = false;
  async function ask() {
    timer = null;
    if (document.hidden || gone) return;
    try {
      const now = await api.pulse({}, { unchanged: pulse.value ? etag(pulse.value) : undefined });
      wait = EVERY;
      isLive.value = true;
      if (now) {
        const isFirst = pulse.value === null;
        pulse.value = now;
        version.value = now.version;
        if (!isFirst) changed(now);
      }
    } catch (error) {
      isLive.value = false;
      if (error.status === 401 || error.status === 403) return;
      wait = Math.min(LONGEST, wait * 2);
    }
    if (!gone) timer = setTimeout(ask, wait);
  }
  const seen = () => { if (!document.hidden && !timer) ask(); };
  onMounted(() => { document.addEventListener("visibilitychange", seen); ask(); });
  onBeforeUnmount(() => { gone = true; clearTimeout(timer); document.removeEventListener("visibilitychange", seen); });
  return { version, pulse, isLive };
}
