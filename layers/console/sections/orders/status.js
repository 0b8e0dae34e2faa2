// How an order's state is shown.
export const statuses = ["created", "paid", "shipped", "completed", "refunded", "closed"];
const TONES = { created: "plain", paid: "info", shipped: "info", completed: "good", refunded: "warn", closed: "plain" };
export const tone = (row) => (row.cancelled ? "plain" : TONES[row.status]);
export const COMMISSION_TONES = { pending: "plain", available: "info", paid: "good", reversed: "warn" };
