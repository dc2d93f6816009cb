/**
 * What this browser sends of itself, second by second: what its way out carries, and never more
 * than its person chose. Tells the room, so that a still picture passes for nothing else.
 */

import { Ladder, MODES } from "./ladder.js";

/** @typedef {import("./ladder.js").Mode} Mode */
/** @typedef {"all" | "save" | "none"} Choice how much of pictures may be sent and received */

/** The best that each choice allows. @type {Record<Choice, Mode>} */
const BEST = { all: "full", save: "small", none: "voice" };
const REMEMBERED = "telemed-data";

export class Sending {
  /** @type {Mode} */ mode = "small";
  /** @type {Choice} */ choice;
  #ladder = new Ladder();
  /** @type {object | null} the connection that was told of mode and choice */ #told = null;

  /**
   * @param {import("./own.js").Own} own @param {import("./media.js").Media} media
   * @param {(type: string, fields: object) => void} tell
   */
  constructor(own, media, tell) {
    this.own = own;
    this.media = media;
    this.tell = tell;
    const kept = sessionStorage.getItem(REMEMBERED);
    this.choice = kept === "save" || kept === "none" ? kept : "all";
  }

  /** @param {Choice} choice */
  choose(choice) {
    this.choice = choice;
    sessionStorage.setItem(REMEMBERED, choice);
    this.#told = null;
    this.tick();
  }

  tick() {
    const { call, availableUp } = this.media;
    if (call?.state !== "connected") return;
    if (availableUp !== null) this.#ladder.take(availableUp, performance.now(), call.thin);
    const mode = worse(this.#ladder.mode, BEST[this.choice]);
    const isNew = call !== this.#told;
    if (isNew) this.tell("watch", { video: this.choice });
    if (!isNew && mode === this.mode) return;
    this.#told = call;
    this.mode = mode;
    void this.own.setMode(mode);
    this.tell("sends", { mode });
    if (MODES.indexOf(this.#ladder.mode) >= MODES.indexOf("slow")) this.media.thin();
  }
}

/** @param {Mode} one @param {Mode} other @returns {Mode} */
function worse(one, other) {
  return MODES.indexOf(one) > MODES.indexOf(other) ? one : other;
}
