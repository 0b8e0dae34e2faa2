// The screen that shows a list of the API: the filters of one are the filters of the other.
import { allScreens, link } from "frame/router.js";

const SCREENS = [
  [/^\/api\/metrics\/days$/, "funnel.days"],
  [/^\/api\/channels\/([^/]+)\/days$/, "funnel.days", "channel_id"],
  [/^\/api\/metrics\/funnel$/, "funnel"],
  [/^\/api\/group-tasks$/, "groups.tasks"],
  [/^\/api\/welcomes\/missed$/, "welcomes.missed"],
  [/^\/api\/churn$/, "churn.list"],
  [/^\/api\/prospects$/, "prospects.list"],
  [/^\/api\/jobs$/, "jobs.list"],
  [/^\/api\/dead-letters$/, "dead_letters.list"],
  [/^\/api\/payouts$/, "payouts.list"],
  [/^\/api\/settlements\/([^/]+)$/, "settlements.one", "id"],
  [/^\/api\/ledger\/accounts\/([^/]+)$/, "ledger.account", "account"],
  [/^\/api\/ledger\/trial-balance$/, "ledger.accounts"],
  [/^\/api\/ledger\/journals-per-day$/, "ledger.days"],
  [/^\/api\/audit$/, "audit.list"],
  [/^\/api\/users$/, "people.list"],
  [/^\/api\/api-keys$/, "keys.list"],
  [/^\/api\/contact-ways\/usage$/, "connections.list"],
  [/^\/api\/ad-quota$/, "ads.list"],
];

// figure: { list, field }. Null for a list that has no screen (yet): a number without a link.
export function screenOf({ list, field }) {
  const url = new URL(list, location.href);
  for (const [path, name, param] of SCREENS) {
    const found = path.exec(url.pathname);
    if (!found || !allScreens.some((screen) => screen.name === name)) continue;
    if (name === "funnel.days" && field) url.searchParams.set("figure", field);
    if (name === "audit.list" && url.searchParams.has("from")) url.searchParams.set("from", url.searchParams.get("from").slice(0, 10)); // the screen filters by days
    const ids = param ? { [param]: decodeURIComponent(found[1]) } : {};
    return link(name, ids, { ...(param === "channel_id" ? ids : {}), ...Object.fromEntries(url.searchParams) });
  }
  return null;
}
