// What stands in the navigation: the screens that one may open, by group.
import { t } from "./i18n.js";
import { allScreens, link, route } from "./router.js";
import { may } from "./session.js";

export const GROUPS = ["today", "acquire", "reach", "customers", "spread", "money", "data", "settings"];

// Whether a screen or one below it is shown: /live-codes for /live-codes/abc, unless that is in the navigation itself.
function isHere(screen, listed) {
  const fits = (path) => route.path === path || (path !== "/" && route.path.startsWith(`${path}/`));
  const best = listed.filter((one) => fits(one.path)).sort((a, b) => b.path.length - a.path.length)[0];
  return best === screen;
}

export function navigation() {
  const listed = allScreens.filter((screen) => screen.nav && may(screen.permission));
  return GROUPS.map((id) => ({
    id,
    items: listed
      .filter((screen) => screen.section.group === id)
      .map((screen) => ({ path: screen.path, href: link(screen.path), title: t(`${screen.name}.title`), said: screen.said || "", icon: screen.icon || "dot", isHere: isHere(screen, listed) })),
  })).filter((group) => group.items.length);
}
