// A list that opens beside its button stays in the window.
const EDGE = 8;

export function fitIn(element) {
  if (!element) return;
  element.style.transform = "";
  const { left, right } = element.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  const shift = left < EDGE ? EDGE - left : right > width - EDGE ? Math.max(EDGE - left, width - EDGE - right) : 0;
  if (shift) element.style.transform = `translateX(${Math.round(shift)}px)`;
}
