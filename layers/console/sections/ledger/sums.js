// A running sum that is proved row by row: from what a tile says down to nothing.
const BY_DEBITS = new Set(["expense:commission", "asset:debt"]);

export const changeOf = (account, row) => (BY_DEBITS.has(account) ? row.debit_fen - row.credit_fen : row.credit_fen - row.debit_fen);

// rows: newest first, all of them when `whole`. Answers { state: "open" | "proved" | "wrong", left, at }.
export function prove(account, tile, rows, whole) {
  let balance = tile;
  for (const row of rows) {
    if (row.balance_fen !== balance) return { state: "wrong", left: balance, row };
    balance -= changeOf(account, row);
  }
  if (!whole) return { state: "open", left: balance };
  return { state: balance === 0 ? "proved" : "wrong", left: balance };
}

// Shares of an account, the largest first: their running sum ends at the account's.
export function proveShares(tile, rows, whole) {
  let sum = 0;
  for (const row of rows) {
    sum += row.balance_fen;
    if (row.running_total_fen !== sum) return { state: "wrong", left: tile - sum, row };
  }
  if (!whole) return { state: "open", left: tile - sum };
  return { state: sum === tile ? "proved" : "wrong", left: tile - sum };
}
