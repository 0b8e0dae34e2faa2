// How a payout's state is shown.
export const STATES = ["planned", "calling", "accepted", "processing", "wait_user_confirm", "transfering", "canceling", "paid", "failed"];
export const toneOf = (row) => (row.status === "paid" ? "good" : row.needs ? "bad" : row.status === "failed" ? "plain" : row.status === "wait_user_confirm" ? "warn" : "info");
