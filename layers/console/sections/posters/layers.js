// Layers of a template by their kind: how they are made, where they stand, how they are moved and made larger.
export const KINDS = ["text", "qr", "picture", "avatar", "rect", "disc"];
export const ICONS = { text: "edit", qr: "code", picture: "image", avatar: "person", rect: "stop", disc: "dot" };
export const WORDS = ["title", "subtitle", "staff_name", "store_name", "code_name", "run_number", "initial"];
const SQUARE = ["qr", "avatar", "disc"];

export const PAGES = {
  phone: { unit: "px", width: 1080, height: 1920, bleed_mm: 0 },
  square: { unit: "px", width: 1080, height: 1080, bleed_mm: 0 },
  a5: { unit: "mm", width: 148, height: 210, bleed_mm: 3 },
  a4: { unit: "mm", width: 210, height: 297, bleed_mm: 3 },
  card: { unit: "mm", width: 90, height: 54, bleed_mm: 3 },
};

export const isSquare = (layer) => SQUARE.includes(layer.type);

export function boxOf(layer) {
  if (layer.type === "disc") return { x: layer.x - layer.radius, y: layer.y - layer.radius, width: 2 * layer.radius, height: 2 * layer.radius };
  if (layer.type === "qr" || layer.type === "avatar") return { x: layer.x, y: layer.y, width: layer.size, height: layer.size };
  return { x: layer.x, y: layer.y, width: layer.width, height: layer.height };
}

const rounded = (value) => Math.round(value * 100) / 100;

// Puts a layer into a box; what is square takes the box's width.
export function place(layer, box) {
  if (layer.type === "disc") {
    layer.radius = rounded(Math.max(0.5, box.width / 2));
    layer.x = rounded(box.x + layer.radius);
    layer.y = rounded(box.y + layer.radius);
    return;
  }
  layer.x = rounded(box.x);
  layer.y = rounded(box.y);
  if (isSquare(layer)) layer.size = rounded(Math.max(1, box.width));
  else {
    layer.width = rounded(Math.max(1, box.width));
    layer.height = rounded(Math.max(1, box.height));
  }
}

// A new layer in the middle of the page. colours: the brand's two.
export function create(type, template, colours) {
  const { width, height } = template;
  const small = Math.min(width, height);
  const wide = { x: width * 0.1, width: width * 0.8 };
  const layer = {
    text: () => ({ type, value: "{title}", ...wide, y: height * 0.42, height: small * 0.14, size: small * 0.08, min_size: small * 0.04, max_lines: 2, colour: "#16241f" }),
    qr: () => ({ type, x: (width - small * 0.5) / 2, y: (height - small * 0.5) / 2, size: small * 0.5, dark: "#000000", light: "#ffffff", quiet: 4 }),
    picture: () => ({ type, asset_id: "", ...wide, y: height * 0.3, height: height * 0.3, fit: "cover" }),
    avatar: () => ({ type, x: (width - small * 0.16) / 2, y: height * 0.4, size: small * 0.16, fill: colours[0], colour: "#ffffff", shown: "staff" }),
    rect: () => ({ type, ...wide, y: height * 0.4, height: height * 0.2, fill: colours[1], radius: 0 }),
    disc: () => ({ type, x: width / 2, y: height / 2, radius: small * 0.15, fill: colours[1] }),
  }[type]();
  for (const [name, value] of Object.entries(layer)) if (typeof value === "number" && name !== "quiet" && name !== "max_lines") layer[name] = rounded(value);
  return layer;
}

// The page to begin with. texts: { title, subtitle, hint }.
export function begin(page, colours, texts) {
  const template = { name: "", ...PAGES[page], background: { colour: "#ffffff" }, title: texts.title, subtitle: texts.subtitle, layers: [] };
  const { width, height } = template;
  const small = Math.min(width, height);
  if (page === "card") {
    template.background.colour = colours[0];
    template.layers = [
      { type: "text", value: "{title}", x: 4, y: 6, width: 40, height: 16, size: 5.2, min_size: 2.5, max_lines: 2, colour: "#ffffff", align: "left", valign: "top", weight: 0.012 },
      { type: "text", value: "{subtitle}", x: 4, y: 24, width: 40, height: 12, size: 3.2, min_size: 1.8, max_lines: 3, colour: "#ffffff", align: "left", valign: "top" },
      { type: "rect", x: 48, y: 5, width: 38, height: 44, fill: "#ffffff", radius: 1.5 },
      { type: "qr", x: 49, y: 6, size: 36, dark: "#000000", light: "#ffffff", quiet: 4 },
      { type: "text", value: "{run_number}", x: 49, y: 43, width: 36, height: 5, size: 2.8, min_size: 1.4, colour: "#000000" },
    ];
    return template;
  }
  const side = rounded(small * 0.52);
  const top = rounded(height * (height > width ? 0.42 : 0.36));
  template.layers = [
    { type: "rect", x: 0, y: 0, width, height: rounded(height * 0.3), fill: colours[0], radius: 0 },
    { type: "text", value: "{title}", x: rounded(width * 0.08), y: rounded(height * 0.07), width: rounded(width * 0.84), height: rounded(height * 0.12), size: rounded(small * 0.1), min_size: rounded(small * 0.05), max_lines: 2, colour: "#ffffff", face: "serif" },
    { type: "text", value: "{subtitle}", x: rounded(width * 0.1), y: rounded(height * 0.2), width: rounded(width * 0.8), height: rounded(height * 0.07), size: rounded(small * 0.04), min_size: rounded(small * 0.025), max_lines: 2, colour: "#ffffff" },
    { type: "qr", x: rounded((width - side) / 2), y: top, size: side, dark: "#000000", light: "#ffffff", quiet: 4 },
    { type: "text", value: texts.hint, x: rounded(width * 0.1), y: rounded(top + side + height * 0.01), width: rounded(width * 0.8), height: rounded(height * 0.05), size: rounded(small * 0.035), min_size: rounded(small * 0.02), colour: "#16241f" },
    { type: "text", value: "{staff_name}", x: rounded(width * 0.1), y: rounded(height * 0.9), width: rounded(width * 0.8), height: rounded(height * 0.05), size: rounded(small * 0.045), min_size: rounded(small * 0.02), colour: "#16241f", shown: "staff" },
  ];
  return template;
}

// Of lines to snap to (page's and others' edges and middles) the nearest within `reach`: { dx, dy, lines }.
export function snap(box, template, others, reach) {
  const edges = (from, size) => [from, from + size / 2, from + size];
  const found = { dx: 0, dy: 0, lines: [] };
  for (const [axis, from, size, page] of [["x", box.x, box.width, template.width], ["y", box.y, box.height, template.height]]) {
    const goals = [...edges(0, page), ...others.flatMap((other) => edges(other[axis], axis === "x" ? other.width : other.height))];
    let best = reach;
    for (const goal of goals) {
      for (const edge of edges(from, size)) {
        if (Math.abs(goal - edge) < best) {
          best = Math.abs(goal - edge);
          found[axis === "x" ? "dx" : "dy"] = goal - edge;
          found.lines = [...found.lines.filter((line) => line.axis !== axis), { axis, at: goal }];
        }
      }
    }
  }
  return found;
}

// A layer as its sample shows it.
export const filled = (text, words) => text.replace(/\{(\w+)\}/g, (whole, name) => (name in words ? words[name] : whole));
export const isShown = (layer, words) => ({ staff: Boolean(words.staff_name), no_staff: !words.staff_name, store: Boolean(words.store_name), no_store: !words.store_name })[layer.shown] ?? true;
