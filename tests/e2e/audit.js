// What is wrong with the page as it stands, a sentence each: for any page, size and colour scheme.
(() => {
  const wrong = [], root = document.documentElement, wide = innerWidth;
  const say = (what, e) => wrong.push(`${what}: <${e.tagName.toLowerCase()} class="${e.className}"> ${e.textContent.trim().slice(0, 40)}`);
  const numbers = (text) => (text.match(/rgba?\([^)]*\)/g) || []).map((c) => c.match(/[\d.]+/g).map(Number));
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * (top[3] ?? 1) + under[i] * (1 - (top[3] ?? 1)));
  const light = (c) => c.slice(0, 3).map((v) => (v / 255 <= 0.04045 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((m, n) => n - m); return (x + 0.05) / (y + 0.05); };
  // Every colour that may lie behind it: the body's gradient has several.
  const behind = (e) => {
    const layers = [];
    for (; e; e = e.parentElement) {
      const style = getComputedStyle(e), [colour] = numbers(style.backgroundColor);
      const plain = (colour[3] ?? 1) === 1;
      if (e === document.body) return [colour, ...numbers(style.backgroundImage).filter((c) => (c[3] ?? 1) === 1)]
        .map((ground) => layers.reduceRight((under, c) => over(c, under), ground));
      if ((colour[3] ?? 1) > 0) layers.push(colour);
      if (plain) break;
    }
    return [layers.reduceRight((under, c) => over(c, under), [255, 255, 255])];
  };
  const opacity = (e) => (e ? Number(getComputedStyle(e).opacity) * opacity(e.parentElement) : 1);
  const readable = (e, style) => {
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const [ink] = numbers(style.color);
    for (const ground of behind(e)) {
      const found = contrast(over([...ink.slice(0, 3), (ink[3] ?? 1) * opacity(e)], ground), ground);
      if (found < (large ? 3 : 4.5)) say(`contrast ${found.toFixed(2)}`, e);
    }
  };
  if (root.scrollWidth > wide) wrong.push(`wider than the phone: ${root.scrollWidth}`);
  if (!["zh-CN", "en"].includes(root.lang) || !document.title) wrong.push("no language, or no title");
  if (!document.querySelector("link[rel=icon]")) wrong.push("no icon");
  if (document.querySelectorAll("main").length !== 1 || document.querySelectorAll("h1").length !== 1) wrong.push("not one main and one h1");
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const text = words.currentNode.data.trim(), e = words.currentNode.parentElement;
    if (!text || e.closest("script,style") || !e.getClientRects().length) continue;
    const box = document.createRange();
    box.selectNodeContents(words.currentNode);
    for (const r of box.getClientRects()) {
      if (r.left < 0 || r.right > wide + 0.5) say("outside", e);
      const card = e.closest("main,article");
      if (card && r.right > card.getBoundingClientRect().right + 0.5) say("outside its card", e);
    }
    if (parseFloat(getComputedStyle(e).fontSize) < 11) say("too small", e);
    readable(e, getComputedStyle(e));
    // What people wrote is in whatever language they wrote it: an English page may hold a Chinese name.
    const english = Boolean(e.closest("[lang=en]"));
    if (!english && /^[\x20-\x7e·]*[A-Za-z]{3}[\x20-\x7e·]*$/.test(text)) say("language not told", e);
  }
  for (const e of document.querySelectorAll("a,button,input:not([type=hidden]),select")) {
    const { width, height } = e.getBoundingClientRect();
    if (width && (width < 44 || height < 44)) say(`${width}x${height} for a thumb`, e);
    if (e.placeholder) readable(e, getComputedStyle(e, "::placeholder"));
    if (e.tagName === "INPUT" && !e.labels.length && !e.ariaLabel) say("no label", e);
  }
  for (const e of document.images) if (!e.hasAttribute("alt") || !e.naturalWidth) say(`picture ${e.alt}`, e);
  return [...new Set(wrong)];
})()
