// A refusal in the person's words: a text `error.<code>` of the section or the kit goes before what the API says.
import { t } from "frame/i18n.js";

export function sayError(error) {
  const isEmpty = error.code === "min_length" && error.params && error.params.min_length === 1;
  const key = `error.${isEmpty ? "required" : error.code}`;
  return { ...error, message: t.has(key) ? t(key, error.params) : error.message };
}

// Of a YAML file: [{ line, message }] for YamlEditor, which says the line itself.
export function yamlLines(errors, describe) {
  return errors.filter((error) => error.params && error.params.line).map((error) => ({ line: error.params.line, message: error.field === "yaml" ? sayError(error).message : t("kit.field_says", { field: describe(error.field), message: error.message }) }));
}
