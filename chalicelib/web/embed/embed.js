// A live code on any website: <script src="https://…/embed.js" data-code="…" async></script>
// Phones get a button that leads to the scan page; on a desktop it shows the code to scan with WeChat.
// One request (the picture, when it is first shown), no cookie, no tracking; its style touches nothing of the page's.
(() => {
  const script = document.currentScript;
  const { code, g, label = "添加微信顾问", labelEn = "Chat on WeChat", place = "bottom-right" } = script.dataset;
  if (!/^[\w-]{4,64}$/.test(code || "")) return console.warn("millrace: data-code is missing");
  const base = new URL(".", script.src);
  const owner = g ? `g=${encodeURIComponent(decodeURIComponent(g))}` : ""; // whose own it is: as it was pasted
  const link = new URL(`s/${code}?${owner && owner + "&"}via=website`, base).href;
  const host = document.createElement("millrace-code"); // no rule of the page for divs is meant for it
  const root = host.attachShadow({ mode: "closed" });
  const style = document.createElement("style");
  style.textContent = `
    :host{all:initial}
    .box{font:15px/1.4 -apple-system,"PingFang SC","Microsoft YaHei",sans-serif;position:relative;display:inline-block}
    .float{position:fixed;right:20px;bottom:20px;z-index:2147483000}
    .left{right:auto;left:20px}
    a,button{all:unset;cursor:pointer;box-sizing:border-box;display:inline-block;padding:12px 18px;border-radius:24px;
      background:#0b7653;color:#fff;font-weight:600;box-shadow:0 6px 20px -6px #0b2a1c66}
    a:focus-visible,button:focus-visible{outline:3px solid #46c795;outline-offset:2px}
    .card{box-sizing:border-box;position:absolute;bottom:calc(100% + 12px);right:0;width:216px;padding:16px;border-radius:16px;
      background:#fff;color:#14241d;text-align:center;box-shadow:0 18px 44px -14px #0b2a1c55}
    .left .card{right:auto;left:0}
    .card[hidden]{display:none}
    img{display:block;width:184px;height:184px;margin-bottom:10px}`;
  const box = document.createElement("div");
  box.className = "box" + (place === "inline" ? "" : " float") + (place === "bottom-left" ? " left" : "");
  // The first of the visitor's languages that we speak, else Chinese.
  const spoken = (navigator.languages || []).map((tag) => tag.slice(0, 2)).find((tag) => tag === "zh" || tag === "en");
  const words = (element, zh, en) => {
    element.append(Object.assign(document.createElement("span"), { textContent: spoken === "en" ? en : zh, lang: spoken === "en" ? "en" : "zh" }));
    return element;
  };
  if (matchMedia("(pointer:coarse)").matches) {
    box.append(words(Object.assign(document.createElement("a"), { href: link }), label, labelEn));
  } else {
    const card = Object.assign(document.createElement("div"), { className: "card", hidden: true });
    const button = words(Object.assign(document.createElement("button"), { type: "button" }), label, labelEn);
    const show = (on) => {
      if (on && !card.firstChild) {
        const src = new URL(`s/${code}/qr.svg${owner && "?" + owner}`, base).href;
        card.append(Object.assign(new Image(), { src, alt: label }));
        words(card, "请用手机微信扫一扫", "Scan with WeChat on your phone");
      }
      card.hidden = !on;
      button.setAttribute("aria-expanded", String(on));
    };
    button.addEventListener("click", () => show(card.hidden));
    box.addEventListener("keydown", (event) => event.key === "Escape" && show(false));
    show(false);
    box.append(card, button);
  }
  root.append(style, box);
  if (place === "inline") script.after(host);
  else document.body ? document.body.append(host) : addEventListener("DOMContentLoaded", () => document.body.append(host));
})();
