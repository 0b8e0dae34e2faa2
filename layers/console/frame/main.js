// The beginning: who is it, which texts, which screen.
import { createApp, watch } from "vue";
import { ApiError, context } from "./api.js";
import { ago, duration, fileSize, listOf, money, number, percent, when } from "./formats.js";
import { language, prepare, t } from "./i18n.js";
import { addOwnScreen, link, linkTemplates, start as startRouter } from "./router.js";
import { load, may, session } from "./session.js";
import { wearBrand, wearKept } from "kit/brand.js";
import { toast } from "./toasts.js";
import App from "./App.vue";
import SignIn from "./SignIn.vue";

export async function start(modules) {
  linkTemplates(modules);
  context.language = () => language.value;
  context.offline = () => t("frame.offline");
  addOwnScreen("/sign-in", "sign_in", SignIn);
  const [use] = await Promise.all([prepare(null), load()]);
  use();
  const app = createApp(App);
  function register(all) {
    for (const [path, module] of Object.entries(all)) {
      if (path.startsWith("kit/") && path.endsWith(".vue") && !app.component(module.default.name)) app.component(module.default.name, module.default);
    }
  }
  register(modules);
  await startRouter(modules, register);
  Object.assign(app.config.globalProperties, { t, listOf, money, number, percent, when, ago, duration, fileSize, may, link });
  app.config.errorHandler = failed;
  wearKept();
  app.mount("#app");
  // Not before the first paint, and never in its way.
  watch(() => session.state, (state) => { if (state === "in") wearBrand().catch(() => {}); }, { immediate: true });
}

function failed(error) {
  if (error instanceof ApiError) toast.bad(error);
  else console.error(error);
}

// What a screen did not catch is said, not swallowed.
addEventListener("unhandledrejection", (event) => {
  if (!(event.reason instanceof ApiError)) return;
  event.preventDefault();
  if (event.reason.status !== 401) toast.bad(event.reason);
});
