/**
 * A consent by word of mouth, heard by the presenter. For a patient who cannot consent alone, a
 * parent or guardian speaks: then the presenter says who of the people present it was.
 */

import { codeOf } from "./signal.js";
import { copy, one } from "./words.js";

/** @typedef {(type: string, fields: object) => Promise<unknown>} Change */

/**
 * @param {Change} change @param {{participant: string}} fields of the consent
 * @param {HTMLElement} beside where the question stands when there is one
 * @param {(error: unknown) => void} tell
 */
export async function consentSpoken(change, fields, beside, tell) {
  try {
    await change("consent", fields);
  } catch (error) {
    if (codeOf(error) === "representative_needed") askWho(change, fields, beside, tell);
    else tell(error);
  }
}

/**
 * @param {Change} change @param {{participant: string}} fields @param {HTMLElement} beside
 * @param {(error: unknown) => void} tell
 */
function askWho(change, fields, beside, tell) {
  beside.querySelector("[data-speaker-form]")?.remove();
  const form = copy("t-who-spoke");
  beside.append(form);
  one(form, "input[name=name]").focus();
  const person = crypto.randomUUID(); // a second press says the same person again
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = new FormData(/** @type {HTMLFormElement} */ (form));
    try {
      await change("declare", {
        person,
        name: said.get("name"),
        capacity: said.get("capacity"),
        on_camera: said.get("on_camera") !== null,
      });
      await change("consent", { ...fields, speaker: person });
    } catch (error) {
      tell(error);
    }
  });
}
