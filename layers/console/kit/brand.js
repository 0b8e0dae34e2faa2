// The brand's two colours as the console wears them: each use keeps its contrast, in light and dark, whatever they are.
import { call } from "frame/api.js";
import { brandName } from "frame/router.js";

const { brandSheet } = window.millrace;
const [KEPT, KEPT_STYLE] = ["millrace.brand.name", "millrace.brand.style"];
const LIGHT = { surface: "#ffffff", canvas: "#f5f6f8", ink: "#18202c" };
const DARK = { surface: "#161b23", canvas: "#0e1218", ink: "#e7ebf1" };

const parts = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
const hex = (values) => `#${values.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;
export const mix = (one, other, share) => hex(parts(one).map((value, at) => value * share + parts(other)[at] * (1 - share)));

function luminance(colour) {
  const [r, g, b] = parts(colour).map((value) => value / 255).map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

// The colour itself, or the nearest on the way to `towards` that is readable on all of these.
function readable(colour, grounds, towards, ratio = 4.6) {
  for (let share = 1; share >= 0; share -= 0.04) {
    const tried = mix(colour, towards, share);
    if (grounds.every((ground) => contrast(tried, ground) >= ratio)) return tried;
  }
  return towards;
}

const on = (ground) => (contrast("#ffffff", ground) >= 4.5 || contrast("#ffffff", ground) >= contrast("#06121f", ground) ? "#ffffff" : "#06121f");

export function propertiesOf([first, second], dark) {
  const { surface, canvas, ink } = dark ? DARK : LIGHT;
  const brand = readable(first, [surface], ink, 3.1);
  const soft = !dark && second && contrast(second, surface) < 1.6 ? second : mix(first, surface, dark ? 0.22 : 0.1);
  const strong = mix(brand, dark ? "#ffffff" : "#000000", 0.82);
  // What stands on the brand's colour must be readable on its stronger one, too.
  const text = on(brand);
  return { "--brand": brand, "--brand-soft": soft, "--brand-on": text, "--brand-ink": readable(first, [surface, canvas, soft], ink), "--brand-strong": contrast(text, strong) >= 4.5 ? strong : brand };
}

function styleOf(colors) {
  const rule = (selector, properties) => `${selector} { ${Object.entries(properties).map(([key, value]) => `${key}: ${value};`).join(" ")} }`;
  const usable = colors && /^#[0-9a-f]{6}$/i.test(colors[0]);
  return usable ? `${rule(":root", propertiesOf(colors, false))} ${rule(':root[data-theme="dark"]', propertiesOf(colors, true))}` : "";
}

// What was worn last is worn at once (the colours before the first paint, by start.classic.js).
export function wearKept() {
  try { brandName.value = localStorage.getItem(KEPT) || ""; } catch (_) { /* the product's own name, then */ }
}

export async function wearBrand() {
  const { name, colors } = await call("GET", "api/brand", {}, { quiet: true });
  const style = styleOf(colors);
  brandName.value = name || "";
  brandSheet.replaceSync(style);
  try {
    localStorage.setItem(KEPT, brandName.value);
    localStorage.setItem(KEPT_STYLE, style);
  } catch (_) { /* it is asked for again */ }
}
