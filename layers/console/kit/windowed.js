// Which rows of a long list are near the window: only those are in the page.
import { onBeforeUnmount, onMounted, ref } from "vue";

const MARGIN = 6; // rows above and below
const STEP = 4; // the window moves by this many rows at least

export function useWindow(body, count, height, nearEnd) {
  const first = ref(0);
  const last = ref(60);
  let planned = 0;
  function measure() {
    planned = 0;
    if (!body.value) return;
    const above = -body.value.getBoundingClientRect().top;
    const from = Math.max(0, Math.floor(above / height.value) - MARGIN);
    const rounded = from - (from % STEP);
    const until = rounded + Math.ceil(window.innerHeight / height.value) + 2 * MARGIN + STEP;
    if (rounded !== first.value) first.value = rounded;
    if (until !== last.value) last.value = until;
    if (until >= count.value - MARGIN) nearEnd();
  }
  const plan = () => { if (!planned) planned = requestAnimationFrame(measure); };
  onMounted(() => {
    window.addEventListener("scroll", plan, { passive: true, capture: true });
    window.addEventListener("resize", plan, { passive: true });
    plan();
  });
  onBeforeUnmount(() => {
    window.removeEventListener("scroll", plan, { capture: true });
    window.removeEventListener("resize", plan);
    cancelAnimationFrame(planned);
  });
  return { first, last, plan };
}
