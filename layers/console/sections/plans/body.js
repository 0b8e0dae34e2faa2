// A plan as the form has it (percent, products as a list), and as the API takes it.
export const bpsOf = (percent) => Math.round(Number(percent || 0) * 100);

export function formOf(plan) {
  return {
    name: plan.name, levels: plan.levels.map((level) => ({ percent: level.rate_bps === null ? null : level.rate_bps / 100 })), skus: plan.scope.skus || [],
    self_purchase: plan.self_purchase, mature_after: plan.mature_after, attribution_window: plan.attribution_window,
    minimum_payout_fen: plan.minimum_payout_fen, tax: plan.tax, settle_every: plan.settle_every || "hand",
  };
}

export function bodyOf(form) {
  const { skus, levels, settle_every: every, ...rest } = form;
  return { ...rest, levels: levels.map((level) => ({ rate_bps: bpsOf(level.percent) })), scope: skus.length ? { skus } : {}, ...(every === "hand" ? {} : { settle_every: every }) };
}
