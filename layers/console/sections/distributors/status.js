// How a distributor's state is shown.
export const STATES = ["active", "frozen", "left"];
export const TONES = { active: "good", frozen: "warn", left: "plain" };
