// What is wrong with a screen as it stands, a sentence each: at any size, theme and language.
(() => {
  const wrong = [];
  const wide = document.documentElement.clientWidth;
  const english = document.documentElement.lang === "en";
  const told = (element) => `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") || ""}"> ${element.textContent.trim().slice(0, 50)}`;
  const say = (what, element) => wrong.push(`${what}: ${told(element)}`);
  if (document.documentElement.scrollWidth > wide) {
    wrong.push(`wider than the window: ${document.documentElement.scrollWidth} of ${wide}`);
    for (const element of document.querySelectorAll("main *")) {
      const box = element.getBoundingClientRect();
      if (box.right > wide + 1 && !scrolls(element)) { say("reaches over the edge", element); break; }
    }
  }
  function scrolls(element) {
    for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) {
      if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(up).overflowX)) return true;
    }
    return false;
  }
  if (window.hurt) wrong.push("a name was run as code");
  if (!document.title) wrong.push("no title");
  if (document.querySelectorAll("main h1").length !== 1) wrong.push(`${document.querySelectorAll("main h1").length} headings of the first level`);

  // Words that are the same in both languages, and what a stored value looks like when nobody gave it words.
  const known = /^(API|ID|CSV|XLSX|PDF|PNG|JPG|ZIP|YAML|JSON|SKU|GMV|URL|Webhook|HTTP|HTTPS|AppID|OAuth|UserID|unionid|openid|IP|SOP|RFM|Excel|WeCom|Millrace|Ctrl|Cmd|English|SVG|KB|MB|HTML|iframe|CorpID|AgentID|Secret|Token|EncodingAESKey|DLQ|CPA|CPC|ROI|DPI|CMYK|RGB|GCJ|WGS|iOS|Android|Chrome|Windows|Mac|macOS|Linux|Safari|Edge|Firefox)$/i;
  const stored = /^[a-z]+(?:_[a-z0-9]+)+$/;
  const key = /^[a-z_]+(?:\.[a-z_]+){1,4}$/;
  const free = ".mono, code, pre, kbd, textarea, [translate=no], [lang]:not(html), option[value='en'], .yaml";
  const given = [...(window.told || [])].sort((a, b) => b.length - a.length);
  const plain = (text) => given.reduce((left, name) => (left.includes(name) ? left.split(name).join(" ") : left), text).trim();
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const text = plain(words.currentNode.data.trim());
    const element = words.currentNode.parentElement;
    if (!text || element.closest("script, style, noscript") || !element.getClientRects().length || element.closest(free)) continue;
    if (stored.test(text) || key.test(text)) say("a stored value or a key", element);
    if (/\bundefined\b|\bNaN\b|\[object |\bnull\b|Invalid Date/.test(text)) say("a slip", element);
    if (/\{\w+\}/.test(text) && !element.closest("label, .hint, .field-hint, .small, .chip, button")) say("an unfilled place", element);
    if (!english) {
      const latin = text.match(/[A-Za-z][A-Za-z'’-]{2,}/g) || [];
      const han = /\p{Script=Han}/u.test(text);
      const isCode = text.startsWith("…") || /^[\w.-]*\d[\w.-]*$/.test(text) || /^(?=.*[a-z][A-Z])[\w-]{6,}$/.test(text);
      if (!han && !isCode && latin.length && latin.every((word) => !known.test(word))) say("not in Chinese", element);
    }
    if (parseFloat(getComputedStyle(element).fontSize) < 11) say("too small", element);
  }
  if (english) {
    for (const element of document.querySelectorAll("nav, th, label, legend, button:not([translate=no]):not(.chip), [role=tab]")) {
      const own = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join("");
      if (/\p{Script=Han}/u.test(plain(own)) && !element.closest(free)) say("not in English", element);
    }
  }
  for (const element of document.images) if (element.complete && !element.naturalWidth && element.getClientRects().length) say(`picture ${element.src.slice(0, 80)}`, element);
  return [...new Set(wrong)];
})()
