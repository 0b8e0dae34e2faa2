export const toneOf = (run) => ({ open: "good", closed: "plain", expired: "warn" })[run.status];

const read = (blob) => new Promise((done, fail) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result);
  reader.onerror = () => fail(reader.error);
  reader.readAsDataURL(blob);
});
export const asAddress = read; // the policy lets no blob: in

export const OWN = ["title", "subtitle", "footer", "background", "picture", "logo"]; // what a template has of its own

// The sheet as the API takes it: a template's card has no design of its own, and what is left empty is the brand's.
export function sheetOf(form) {
  const sheet = { page: form.page, gutter_mm: form.gutter_mm, cut_marks: form.cut_marks };
  if (form.design === "template") return { ...sheet, template_id: form.template_id };
  const own = { card_width_mm: form.card_width_mm, card_height_mm: form.card_height_mm, bleed_mm: form.bleed_mm, title: form.title, subtitle: form.subtitle, footer: form.footer || "" };
  if (form.background) own.background = form.background;
  return { ...sheet, ...own };
}
