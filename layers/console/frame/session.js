// Who is signed in, and what they may do.
import { shallowReactive } from "vue";
import { ApiError, call, context } from "./api.js";

// state: "unknown" until asked, "in", "out", "failed" (error says why). ended: somebody was in, and is not any more.
export const session = shallowReactive({ state: "unknown", me: null, error: null, ended: false });

export const may = (permission) => !permission || (session.me !== null && session.me.permissions.includes(permission));

function take(me) {
  context.csrf = me.csrf_token;
  session.me = me;
  session.ended = false;
  session.state = "in";
}

export async function load() {
  try {
    take(await call("GET", "api/me", {}, { quiet: true }));
  } catch (error) {
    session.me = null;
    session.error = error;
    session.state = error.status === 401 ? "out" : "failed";
  }
  return session.state === "in";
}

export async function signIn(key) {
  await call("POST", "console/session", { body: { key } }, { quiet: true });
  window.millrace.early = {}; // what was asked before the sign-in was refused
  if (!(await load())) throw session.error || new ApiError(0);
}

export async function signOut() {
  await call("DELETE", "console/session", {}, { quiet: true });
  session.me = null;
  context.csrf = null;
  session.state = "out";
}

// The same person's session may have begun anew in another tab: its token is another. True when it is.
context.renew = async () => {
  const before = context.csrf;
  try {
    take(await call("GET", "api/me", {}, { quiet: true }));
  } catch (_) {
    return false;
  }
  return context.csrf !== before;
};
context.signedOut = () => { if (session.state === "in") { session.me = null; session.ended = true; session.state = "out"; } };
