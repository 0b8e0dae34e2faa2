// The client around the sidebar: it knows whose chat is open, and says what the sidebar sends.
const setup = JSON.parse(document.body.dataset.setup);
const origin = new URL(setup.product, location.href).origin;
const work = {
  config: check,
  agentConfig: check,
  getContext: async () => ({ err_msg: "getContext:ok", entry: "single_chat_tools" }),
  getCurExternalContact: async () => ({ err_msg: "getCurExternalContact:ok", userId: setup.external }),
  async sendChatMessage({ fields }) {
    if (fields.msgtype !== "text") return { err_msg: "sendChatMessage:fail" };
    const answer = await fetch(setup.chat, { method: "POST", body: new URLSearchParams({ text: fields.text.content }) });
    return { err_msg: answer.ok ? "sendChatMessage:ok" : "sendChatMessage:fail" };
  },
};
async function check({ fields, url }) {
  const answer = await fetch("/jssdk/check", { method: "POST", body: JSON.stringify({ ...fields, url }) });
  return answer.json();
}
addEventListener("message", async (event) => {
  const asked = event.data;
  if (event.origin !== origin || !asked || !asked.wecom) return;
  const run = work[asked.wecom];
  const answer = run ? await run(asked) : { err_msg: `${asked.wecom}:fail, the permission value is offline verifying` };
  event.source.postMessage({ call: asked.call, answer }, origin);
});
