// Before the first paint: where we are, the theme, and the question who is signed in, on its way early.
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
  told.me = fetch(`${told.base}api/me`, { headers: { "Accept-Language": told.language, Accept: "application/json" } });
  told.me.catch(() => {}); // told to whoever awaits it
})(window.millrace);
