// A rule of the API as a tree that is edited, and back: docs/segments.md has the language.
// A group is { how, negated, parts }, a condition { field, operator, value, days, negated }; what the editor has no
// controls for is kept as it is ({ raw }).

const list = (of, options) => ({ kind: "list", of, options, operators: ["in", "not_in"] });
const number = (money) => ({ kind: "number", money, operators: ["gte", "lte", "eq"], windowed: true });
const time = () => ({ kind: "time", operators: ["within", "not_within", "after", "before"] });

export const FIELDS = {
  tag: { kind: "list", of: "tag", operators: ["any", "all", "none"] },
  channel: list("channel"),
  live_code_id: list("code"),
  staff_id: list("staff"),
  store_id: list("store"),
  group: list("group"),
  sop_id: list("sop"),
  segment: list("segment"),
  gender: list(null, ["male", "female"]),
  added_at: time(),
  first_order_at: time(),
  last_order_at: time(),
  lost_at: time(),
  orders: number(false),
  paid_fen: number(true),
  average_fen: { ...number(true) },
  refunded_fen: number(true),
  bought: { kind: "words", operators: ["any", "none"], windowed: true },
  has: { kind: "list", options: ["unionid", "phone", "birthday", "address"], operators: ["in"] },
};

export const emptyGroup = (how = "all") => ({ how, negated: false, parts: [] });
export const emptyCondition = () => ({ field: "tag", operator: "any", value: [], days: null, negated: false });

const daysOf = (text) => (/^P(\d+)D$/.exec(text || "") || [])[1];
const isDuration = (operator) => operator === "within" || operator === "not_within";

export function valueFor(field, operator) {
  const { kind } = FIELDS[field];
  if (kind === "list" || kind === "words") return [];
  if (kind === "time") return isDuration(operator) ? 30 : null;
  return null;
}

// What is said of it is whole: a condition without a value is not asked yet.
export function isWhole(part) {
  if (part.raw) return true;
  if (part.parts) return part.parts.some(isWhole);
  return Array.isArray(part.value) ? part.value.length > 0 : part.value !== null && part.value !== "";
}

export function toRule(part) {
  if (part.raw) return part.raw;
  const inner = part.parts ? { [part.how]: part.parts.filter(isWhole).map(toRule) } : conditionRule(part);
  return part.negated ? { not: inner } : inner;
}

function conditionRule({ field, operator, value, days }) {
  const { kind } = FIELDS[field];
  const asked = kind === "time" && isDuration(operator) ? `P${value}D` : value;
  return { [field]: { [operator]: asked, ...(FIELDS[field].windowed && days ? { within: `P${days}D` } : {}) } };
}

export function fromRule(rule) {
  const [name] = Object.keys(rule);
  const inner = rule[name];
  if (name === "all" || name === "any") return { how: name, negated: false, parts: inner.map(fromRule) };
  if (name === "not") {
    const part = fromRule(inner);
    return part.raw || part.negated ? { raw: rule } : { ...part, negated: true };
  }
  return fromCondition(rule, name, inner) || { raw: rule };
}

function fromCondition(rule, field, asked) {
  const spec = FIELDS[field];
  const operators = Object.keys(asked).filter((one) => !(spec && spec.windowed && one === "within"));
  if (!spec || operators.length !== 1 || !spec.operators.includes(operators[0])) return null;
  const [operator] = operators;
  const days = spec.windowed && asked.within ? Number(daysOf(asked.within)) : null;
  if (Number.isNaN(days)) return null;
  let value = asked[operator];
  if (spec.kind === "time") {
    if (isDuration(operator)) value = Number(daysOf(value)) || null;
    if (value === null || String(value).startsWith("P")) return null;
  }
  return { field, operator, value, days, negated: false };
}

// The root is a group, whatever the rule is.
export function fromRoot(rule) {
  const part = rule && Object.keys(rule).length ? fromRule(rule) : emptyGroup();
  return part.parts && !part.negated ? part : { ...emptyGroup(), parts: [part] };
}

// Where each part stands in the JSON that is sent, for the counts of a preview.
export function placesOf(part, place = "rule", found = new Map()) {
  const here = part.negated ? `${place}.not` : place;
  found.set(part, here);
  if (part.parts) part.parts.filter(isWhole).forEach((each, n) => placesOf(each, `${here}.${part.how}[${n}]`, found));
  return found;
}
