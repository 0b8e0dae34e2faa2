// How a settlement's state is shown.
export const STATES = ["running", "finished", "failed"];
export const TONES = { running: "info", finished: "good", failed: "bad" };
