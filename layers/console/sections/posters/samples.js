// Sample pictures as the server draws and decodes them, as data: addresses (the policy lets no blob: in).
import { api } from "frame/api.js";

const kept = new Map(); // of stored templates, by id and version

export const asAddress = (blob) => new Promise((done, fail) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result);
  reader.onerror = () => fail(reader.error);
  reader.readAsDataURL(blob);
});

export async function sampleOf(template, sample, signal) {
  return asAddress(await api.poster_templates.preview({ template, sample }, { signal }));
}

// Small, for a list; one after another, so that a page of templates is no storm.
let queue = Promise.resolve();
export function thumbnail(row) {
  const key = `${row.template_id}#${row.version || 0}`;
  if (!kept.has(key)) {
    const drawn = queue.then(() => api.poster_templates.preview_of(row.template_id, { sample: { width: 480 } })).then(asAddress);
    queue = drawn.catch(() => {});
    kept.set(key, drawn);
    drawn.catch(() => kept.delete(key));
  }
  return kept.get(key);
}
