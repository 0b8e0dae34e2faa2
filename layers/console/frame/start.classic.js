// Before the first paint: where we are, the theme, the brand as it was worn last; and the first questions, on their way early.
window.millrace = { templates: {}, early: {} };
(function (told) {
  const keep = (name) => { try { return localStorage.getItem(name); } catch (_) { return null; } };
  told.base = new URL("../../", document.currentScript.src).pathname; // "/", or a stage's "/prod/"
  told.assets = `${told.base}console/assets/`;
  const language = keep("millrace.language");
  told.language = language === "zh" || language === "en" ? language : document.documentElement.lang.slice(0, 2);
  document.documentElement.lang = told.language === "en" ? "en" : "zh-CN";
  const theme = keep("millrace.theme");
  const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  told.brandSheet = new CSSStyleSheet();
  told.brandSheet.replaceSync(keep("millrace.brand.style") || "");
  document.adoptedStyleSheets = [told.brandSheet];
  const isHome = location.pathname.replace(/\/$/, "") === `${told.base}console`;
  for (const path of isHome ? ["api/me", "api/home"] : ["api/me"]) {
    const asked = fetch(told.base + path, { headers: { "Accept-Language": told.language, Accept: "application/json" } });
    asked.catch(() => {}); // told to whoever awaits it
    told.early[told.base + path] = asked;
  }
})(window.millrace);
