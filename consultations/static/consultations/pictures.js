/** How much of pictures this person wants, and what the call costs: many pay for every megabyte. */

import { one, word } from "./words.js";

/** @typedef {import("./sending.js").Choice} Choice */

export class Pictures {
  /**
   * @param {HTMLElement} root @param {import("./sending.js").Sending} sending
   * @param {() => void} changed
   */
  constructor(root, sending, changed) {
    this.root = root;
    this.sending = sending;
    this.changed = changed;
    this.#draw();
    one(root, "[data-pictures]").addEventListener("change", (event) => {
      const { value } = /** @type {HTMLInputElement} */ (event.target);
      this.choose(/** @type {Choice} */ (value));
    });
  }

  /** @param {Choice} choice */
  choose(choice) {
    this.sending.choose(choice);
    this.#draw();
    this.changed();
  }

  /** @param {import("./media.js").Media} media */
  drawCost({ bytes, kbit }) {
    const soon = ((kbit * 600) / 8 / 1000).toFixed(0);
    const words = word("data-used", { used: (bytes / 1e6).toFixed(0), soon });
    one(this.root, "[data-used]").textContent = words;
  }

  #draw() {
    for (const input of this.root.querySelectorAll("[name=pictures]")) {
      if (input instanceof HTMLInputElement) input.checked = input.value === this.sending.choice;
    }
  }
}
