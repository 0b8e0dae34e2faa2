// What the kit needs of the router.
import { go, route, setQuery } from "frame/router.js";

export { go, setQuery };
export const query = () => route.query;
export const queryText = (fields) => new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== "")).toString();
