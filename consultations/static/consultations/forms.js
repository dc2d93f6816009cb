/** The forms of the call: what is filled in becomes one change of the room. */

import { maybe, one } from "./words.js";

/** @typedef {(type: string, fields?: object, told?: string) => Promise<boolean>} Ask */

/** @param {HTMLElement} root @param {Ask} ask */
export function listenToForms(root, ask) {
  onSubmit(root, "[data-identify-form]", (data) =>
    ask("identify", { how: data.get("how") }, "visit-began"),
  );
  onSubmit(root, "[data-override-form]", (data) => ask("override", { reason: data.get("reason") }));
  onSubmit(root, "[data-place-form]", async (data) => {
    const said = { place: data.get("place"), phone: data.get("phone"), contact: data.get("contact") };
    if (await ask("place", said, "saved")) drawWhere(root, data);
  });
  onSubmit(root, "[data-declare-form]", (data, form) => {
    ask("declare", {
      person: crypto.randomUUID(),
      name: data.get("name"),
      capacity: data.get("capacity"),
      on_camera: data.get("on_camera") !== null,
    });
    form.reset();
  });
}

/**
 * @param {HTMLElement} root @param {string} selector
 * @param {(data: FormData, form: HTMLFormElement) => void} work
 */
function onSubmit(root, selector, work) {
  for (const form of root.querySelectorAll(selector)) {
    if (!(form instanceof HTMLFormElement)) continue;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      work(new FormData(form), form);
    });
  }
}

/** The waiting room shows what was said, and both forms go on from it.
 * @param {HTMLElement} root @param {FormData} said */
function drawWhere(root, said) {
  for (const form of root.querySelectorAll("[data-place-form]")) {
    for (const [name, value] of said) {
      const input = form.querySelector(`[name=${name}]`);
      if (input instanceof HTMLInputElement) input.value = String(value);
    }
  }
  const where = maybe(root, "[data-where]");
  if (!where) return;
  where.classList.add("said");
  one(where, "[data-where-place]").textContent = String(said.get("place"));
  one(where, "[data-where-phone]").textContent = String(said.get("phone"));
}
