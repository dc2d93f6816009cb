/**
 * A refusal or a withdrawal: what this browser sends and plays stops before the room is asked, and
 * goes on again only when the room says no, or everybody here has agreed once more.
 */

import { Refused } from "./signal.js";

const AGAIN_MS = 3000;
const AGREED = ["given", "not-needed"];

/** @typedef {(type: string, fields: object) => Promise<any>} Change */

export class Stop {
  /** Whether nothing is sent and nothing played. */
  on = false;
  #asked = 0;
  #stored = false;
  /** Whether the room has shown what was stored: a snapshot of before says the opposite. */
  #shown = false;

  /** @param {Change} change @param {(on: boolean) => void} apply stops, and lets on again */
  constructor(change, apply) {
    this.change = change;
    this.apply = apply;
  }

  /** @param {string} type @param {object} fields rejects with `Refused` */
  async ask(type, fields) {
    this.#asked += 1;
    this.#shown = false;
    this.#turn(true);
    try {
      await this.#store(type, fields);
      this.#stored = true;
    } finally {
      this.#asked -= 1;
      if (this.#asked === 0 && !this.#stored) this.#turn(false);
    }
  }

  /** @param {string[]} consents the newest of everybody on this device */
  take(consents) {
    if (!this.on || this.#asked > 0) return;
    const agreed = consents.every((consent) => AGREED.includes(consent));
    if (agreed && this.#shown) this.#turn(false);
    this.#shown ||= !agreed;
  }

  /** A room that cannot store keeps everything stopped: it is asked until it can.
   * @param {string} type @param {object} fields */
  async #store(type, fields) {
    for (;;) {
      try {
        await this.change(type, fields);
        return;
      } catch (error) {
        if (!(error instanceof Refused) || error.code !== "unavailable") throw error;
      }
      await new Promise((next) => setTimeout(next, AGAIN_MS));
    }
  }

  /** @param {boolean} on */
  #turn(on) {
    if (!on) this.#stored = this.#shown = false;
    if (on === this.on) return;
    this.on = on;
    this.apply(on);
  }
}
