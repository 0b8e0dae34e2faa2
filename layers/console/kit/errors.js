// A refusal in the person's words: a text `error.<code>` of the section or the kit goes before what the API says.
import { t } from "frame/i18n.js";

export const sayError = (error) => ({ ...error, message: t.has(`error.${error.code}`) ? t(`error.${error.code}`, error.params) : error.message });
