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
/** Where one stream suits a way out better than the smallest of several sizes. @type {Mode[]} */
const ONE_STREAM = ["still", "voice"];
/** What leaves room to be tried. @type {Mode[]} */
const TRIED = ["small", "slow", "still"];
const TRY_MS = 4000;
/** A trial goes on while the way out is found to carry so much more than a second ago. */
const FOUND_MORE = 1.2;
/** Bits a second below which what headers take from the picture is worth a longer voice packet. */
const THIN = 180_000;
/** And above which, for so long, the voice has its own again. */
const WIDE = 350_000;
const WIDE_MS = 10_000;

export class Sending {
  /** @type {Mode} */ mode = "small";
  /** @type {Choice} */ choice;
  #ladder = new Ladder();
  #triedAt = 0;
  /** @type {number | null} bits a second that were found last; none without a trial */ #trial = null;
  /** @type {number | null} */ #wideSince = null;
  /** @type {object | null} the connection that was told of mode and choice */ #told = null;
  /** @type {{call: object | null, mode: Mode | null}} what was made of which connection's camera */
  #shaped = { call: null, mode: null };
  /** @type {{call: object | null, sizes: Record<string, number>}} what which connection was asked for */
  #asked = { call: null, sizes: {} };
  /** @type {{call: object | null, sizes: string}} what was made of that */
  #sized = { call: null, sizes: "{}" };

  /**
   * @param {import("./own.js").Own} own @param {import("./media.js").Media} media
   * @param {import("./signal.js").Signal} signal
   */
  constructor(own, media, signal) {
    this.own = own;
    this.media = media;
    this.signal = signal;
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
    const { call, availableUp, roundTrip } = this.media;
    if (call?.state !== "connected") return;
    const now = performance.now();
    if (availableUp !== null) {
      this.#ladder.take({ available: availableUp, roundTrip, thin: call.thin }, now);
    } else {
      this.#ladder.takeLevel(this.media.serverLevel, now);
    }
    const mode = worse(this.#ladder.mode, BEST[this.choice]);
    this.#shape(mode, call);
    this.#size(mode, call);
    const isNew = call !== this.#told;
    if (isNew) this.tell("watch", { video: this.choice });
    if (isNew || mode !== this.mode) this.tell("sends", { mode });
    this.#told = call;
    this.mode = mode;
    this.#tryOut(availableUp ?? 0, now);
    this.#saveHeaders(call, availableUp ?? THIN, now);
  }

  /** @param {import("./call.js").Call} call @param {number} available @param {number} now */
  #saveHeaders(call, available, now) {
    this.#wideSince = available > WIDE ? (this.#wideSince ?? now) : null;
    if (available < THIN) call.saveHeaders(true);
    else if (this.#wideSince !== null && now - this.#wideSince >= WIDE_MS) call.saveHeaders(false);
  }

  /** Held to little, a browser learns slowly that its way out carries more. Allowed more for a
   * second, Chromium tries (its probes follow what its encoders may take).
   * @param {number} available @param {number} now */
  #tryOut(available, now) {
    if (this.#trial !== null) {
      const rising = available > this.#trial * FOUND_MORE;
      this.#trial = rising ? available : null;
      if (!rising) void this.own.tryOut(false);
    }
    if (!this.#ladder.settled || this.mode === BEST[this.choice]) return;
    if (!TRIED.includes(this.mode) || !this.#ladder.isWell) this.#triedAt = now;
    if (now - this.#triedAt < TRY_MS) return;
    this.#triedAt = now;
    this.#trial = available;
    void this.own.tryOut(true);
  }

  /** Those who see the camera cannot all take the same: it is asked for in several sizes.
   * @param {Record<string, number>} sizes bits a second by name */
  ask(sizes) {
    this.#asked = { call: this.media.call, sizes };
    this.tick();
  }

  /** What the room should know and nobody waits for. @param {string} type @param {object} fields */
  tell(type, fields) {
    this.signal.change(type, fields).catch(() => {});
  }

  /** A new connection begins by itself with little, until the link is known.
   * @param {Mode} mode @param {object} call */
  #shape(mode, call) {
    const untouched = call !== this.#shaped.call;
    if (untouched && mode === "small" && !this.#ladder.settled) return;
    if (!untouched && mode === this.#shaped.mode) return;
    this.#shaped = { call, mode };
    this.#trial = null;
    void this.own.setMode(mode);
  }

  /** @param {Mode} mode @param {import("./call.js").Call} call */
  #size(mode, call) {
    const layered = call === this.#asked.call && this.choice === "all" && call.hasLayers;
    const sizes = layered && !ONE_STREAM.includes(mode) ? this.#asked.sizes : {};
    const said = JSON.stringify(sizes);
    if (said === this.#sized.sizes && (said === "{}" || call === this.#sized.call)) return;
    this.#sized = { call, sizes: said };
    void this.own.setSizes(sizes);
  }
}

/** @param {Mode} one @param {Mode} other @returns {Mode} */
function worse(one, other) {
  return MODES.indexOf(one) > MODES.indexOf(other) ? one : other;
}
