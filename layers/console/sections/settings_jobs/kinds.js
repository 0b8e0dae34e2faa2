// What a job makes, in words.
import { t } from "frame/i18n.js";

export const KINDS = ["print_run", "poster_batch", "prospect_import", "prospect_export", "settlement", "first_import", "groups_sync", "stores_rebuild"];

export function kindText(row) {
  if (KINDS.includes(row.kind)) return t.enum("job_kind", row.kind);
  return t(row.kind.startsWith("migration ") ? "jobs.migration" : row.kind.includes("export") ? "jobs.export" : "jobs.other");
}

export const percentOf = (row) => (row.status === "finished" ? 100 : row.total ? Math.round((row.done / row.total) * 100) : 0);
