// What a customer's bonds come to, in words.
import { listOf } from "frame/formats.js";
const RANK = { active: 2, half: 1, lost: 0 };

export const bondOf = (row) => row.follows.reduce((best, follow) => (RANK[follow.status] > RANK[best] ? follow.status : best), "lost");
export const toneOf = (row) => ({ active: "good", half: "warn", lost: "plain" })[bondOf(row)];
export const standing = (row) => row.follows.filter((follow) => follow.status !== "lost");
export const guidesOf = (row) => listOf(standing(row).map((follow) => follow.staff_name)) || "–";
export const remarkOf = (row) => listOf([...new Set(standing(row).map((follow) => follow.remark).filter(Boolean))]) || "–";
export const shortTag = (tag) => tag.slice(tag.indexOf("/") + 1);
