// Roles and scopes as people choose and read them.
import { listOf } from "frame/formats.js";
import { t } from "frame/i18n.js";

export const ROLES = ["admin", "operator", "store_manager", "guide", "finance", "auditor"];

export const roleOptions = () => ROLES.map((role) => ({ value: role, label: t.enum("role", role), hint: t(`people.role_hint.${role}`) }));
export const roleFilter = () => ROLES.map((role) => ({ value: role, label: t.enum("role", role) }));

// What a row's scope is called: names of stores and departments, or the whole corp.
export function scopeText(row) {
  const { stores, departments } = row.scope_names;
  if (!stores && !departments) return t("people.whole_corp");
  const names = [...(stores || []), ...(departments || [])].map((one) => one.name);
  return names.length ? listOf(names) : t("people.scope_empty");
}

// The form's three fields ↔ the API's scope.
export const scopeFields = (scope) => ({
  kept: Boolean(scope && (scope.store_ids || scope.department_ids)),
  store_ids: (scope && scope.store_ids) || [],
  department_ids: (scope && scope.department_ids) || [],
});

export const scopeOf = (form) => (form.role === "admin" || !form.kept
  ? { store_ids: null, department_ids: null }
  : { store_ids: form.store_ids.length || !form.department_ids.length ? form.store_ids : null, department_ids: form.department_ids.length ? form.department_ids : null });
