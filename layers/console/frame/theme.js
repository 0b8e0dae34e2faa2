import { ref, watchEffect } from "vue";

const system = matchMedia("(prefers-color-scheme: dark)");
const isSystemDark = ref(system.matches);
system.addEventListener("change", (event) => { isSystemDark.value = event.matches; });

function kept() {
  try { return localStorage.getItem("millrace.theme"); } catch (_) { return null; }
}

export const THEMES = ["auto", "light", "dark"];
export const theme = ref(THEMES.includes(kept()) ? kept() : "auto");

watchEffect(() => {
  const dark = theme.value === "dark" || (theme.value === "auto" && isSystemDark.value);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
});

export function setTheme(name) {
  theme.value = name;
  try { localStorage.setItem("millrace.theme", name); } catch (_) { /* for this page alone, then */ }
}
