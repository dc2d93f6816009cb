/** Draws what is written in the room. */

import { copy, one, word } from "./words.js";

/** @typedef {import("./signal.js").ChatMessage} ChatMessage */

/**
 * @param {HTMLElement} list @param {ChatMessage[]} messages
 * @returns {number} how many came that were not shown before, one's own left out
 */
export function drawMessages(list, messages) {
  const known = new Set([...list.children].map((child) => child.getAttribute("data-id")));
  let fresh = 0;
  for (const message of messages) {
    if (known.has(message.id)) continue;
    list.append(bubble(message));
    if (!message.mine) fresh += 1;
  }
  if (fresh > 0 || messages.length > known.size) list.scrollTop = list.scrollHeight;
  return fresh;
}

/** @param {ChatMessage} message */
function bubble(message) {
  const made = copy("t-message");
  made.dataset.id = message.id;
  made.classList.toggle("own", message.mine);
  one(made, "[data-name]").textContent = message.mine ? word("you") : message.name;
  one(made, "[data-at]").textContent = message.at;
  one(made, "[data-text]").textContent = message.text;
  return made;
}

/**
 * What is typed is kept until it was stored.
 * @param {HTMLFormElement} form
 * @param {(text: string) => Promise<boolean>} send whether it was; says itself why it was not
 */
export function listenToForm(form, send) {
  const input = /** @type {HTMLInputElement} */ (form.elements.namedItem("text"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    input.disabled = true;
    try {
      if (await send(text)) input.value = "";
    } finally {
      input.disabled = false;
      input.focus();
    }
  });
}
