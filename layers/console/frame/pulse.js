// What happens now, asked for while the page is looked at: 304 without a body while nothing is new.
import { onBeforeUnmount, onMounted, ref, shallowRef } from "vue";
import { api, etag } from "frame/api.js";

const EACH = 1200; // ms: with what counting takes, an event is seen within 2 s
const LATER = 10000; // after a failure

// seen(pulse, isFirst): called with each new state.
export function usePulse(seen = () => {}) {
  const pulse = shallowRef(null);
  const isLive = ref(false);
  let timer = null;
  let ended = false;

  async function look() {
    timer = null;
    let wait = EACH;
    try {
      const news = await api.pulse({}, { unchanged: pulse.value && etag(pulse.value), quiet: true });
      isLive.value = true;
      if (news && !ended) {
        const isFirst = pulse.value === null;
        pulse.value = news;
        seen(news, isFirst);
      }
    } catch (error) {
      isLive.value = false;
      wait = error.status === 403 || error.status === 401 ? null : LATER;
    }
    if (wait && !ended && document.visibilityState === "visible" && timer === null) timer = setTimeout(look, wait);
  }
  function shown() {
    if (document.visibilityState === "visible" && timer === null) look();
  }
  onMounted(() => { document.addEventListener("visibilitychange", shown); look(); });
  onBeforeUnmount(() => { ended = true; clearTimeout(timer); document.removeEventListener("visibilitychange", shown); });
  return { pulse, isLive };
}
