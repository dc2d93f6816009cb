/** The forms of the call: what is filled in becomes one change of the room. */

/** @typedef {(type: string, fields?: object, told?: string) => void} Ask */

/** @param {HTMLElement} root @param {Ask} ask */
export function listenToForms(root, ask) {
  onSubmit(root, "[data-identify-form]", (data) =>
    ask("identify", { how: data.get("how") }, "visit-began"),
  );
  onSubmit(root, "[data-override-form]", (data) => ask("override", { reason: data.get("reason") }));
  onSubmit(root, "[data-place-form]", (data) =>
    ask(
      "place",
      { place: data.get("place"), phone: data.get("phone"), contact: data.get("contact") },
      "saved",
    ),
  );
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
  const form = root.querySelector(selector);
  if (!(form instanceof HTMLFormElement)) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    work(new FormData(form), form);
  });
}
