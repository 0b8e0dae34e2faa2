// Contrast as the server judges it (chalicelib/brand/rules.py): WCAG 2.2, 4.5 : 1 for text.
export const CONTRAST = 4.5;
const WHITE = "#ffffff";
const LIGHT = 0.7;
const STEPS = 400;

const parts = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
const hex = (values) => `#${values.map((v) => Math.floor(Math.max(0, Math.min(1, v)) * 255 + 0.5 + 1e-9).toString(16).padStart(2, "0")).join("")}`;
export const isColour = (text) => /^#[0-9a-f]{6}$/i.test(text || "");

export function luminance(colour) {
  const [r, g, b] = parts(colour).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function toHls([r, g, b]) {
  const most = Math.max(r, g, b);
  const least = Math.min(r, g, b);
  const l = (most + least) / 2;
  if (most === least) return [0, l, 0];
  const range = most - least;
  const s = l <= 0.5 ? range / (most + least) : range / (2 - most - least);
  const h = most === r ? (g - b) / range : most === g ? 2 + (b - r) / range : 4 + (r - g) / range;
  return [(((h / 6) % 1) + 1) % 1, l, s];
}

function toRgb([h, l, s]) {
  const m2 = l <= 0.5 ? l * (1 + s) : l + s - l * s;
  const m1 = 2 * l - m2;
  return [h + 1 / 3, h, h - 1 / 3].map((hue) => {
    const at = ((hue % 1) + 1) % 1;
    if (at < 1 / 6) return m1 + (m2 - m1) * at * 6;
    if (at < 0.5) return m2;
    return at < 2 / 3 ? m1 + (m2 - m1) * (2 / 3 - at) * 6 : m1;
  });
}

export function nearest(colour, grounds) {
  const [h, l, s] = toHls(parts(colour));
  for (let step = 0; step <= STEPS; step += 1) {
    for (const other of [l - step / STEPS, l + step / STEPS]) {
      if (other < 0 || other > 1) continue;
      const found = hex(toRgb([h, other, s]));
      if (grounds.every((ground) => contrast(found, ground) >= CONTRAST)) return found;
    }
  }
  return WHITE;
}

// Of each of the two: { ratio, ok, nearest }.
export function judge(first, second) {
  if (!isColour(first) || !isColour(second)) return [null, null];
  const grounds = luminance(second) >= LIGHT ? [WHITE, second] : [WHITE];
  const ratio = contrast(first, grounds.find((ground) => contrast(first, ground) < CONTRAST) || WHITE);
  const better = ratio >= CONTRAST ? first : nearest(first, grounds);
  const ofSecond = contrast(better, second);
  return [
    { ratio, ok: ratio >= CONTRAST, nearest: better },
    { ratio: ofSecond, ok: ofSecond >= CONTRAST, nearest: ofSecond >= CONTRAST ? second : nearest(second, [better]) },
  ];
}
