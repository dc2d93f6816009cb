/**
 * What a camera sends, by what its way out carries: full, small, slow, one still picture every few
 * seconds, or nothing but the voice. Touches neither document nor connection.
 */

/** @typedef {"full" | "small" | "slow" | "still" | "voice"} Mode */

/** From the best to the worst. @type {Mode[]} */
export const MODES = ["full", "small", "slow", "still", "voice"];

/**
 * Bits a second that a mode needs for its picture; below, the next one does better.
 * @type {Record<Mode, number>}
 */
const NEEDS = { full: 220_000, small: 110_000, slow: 24_000, still: 8_000, voice: 0 };

/** Up only where the better mode fits with this much to spare, for so long. */
const SPARE = 1.35;
const UP_MS = 4000;
/** Or with so much, for less long. */
const PLENTY = 2.5;
const SURE_MS = 2000;
const DOWN_MS = 1500;
/** Of what a mode needs: with less, the link has collapsed, and there is nothing to wait for. */
const COLLAPSED = 0.5;
/** Seconds above the least round trip: the way out is full of what was sent, and stays so at a rate
 * that just fits; browsers see queues grow, not stand. What is sent little of has more time to drain. */
const STANDING = 0.6;
/** @type {Record<Mode, number>} */
const STANDING_MS = { full: 5000, small: 5000, slow: 10_000, still: 10_000, voice: 0 };
/** After which what was left for that alone is tried again, once nothing stands there any more. */
const DRAINED_MS = 3000;
/** How long the browser's first guess at the link is not believed: until then a small picture, whose
 * first frame is soon through a thin link. */
const GUESS_MS = 2000;
/** What suits a link of which only the room's word is known, by the worse of its directions: a browser
 * that keeps its estimate to itself (Firefox) goes by it all the same, within what it may send.
 * @type {Record<string, Mode>} */
const BY_LEVEL = { good: "full", fair: "small", poor: "slow", "audio-only": "slow" };
/** A browser that tells does so from the beginning. */
const UNTOLD_MS = 3000;
/** Without a moving picture the browser learns nothing of its way out: what has gone well for so long
 * is left upwards on trial; each trial that fails soon doubles the time until the next. */
const TRY_MS = 10_000;
const LONGEST_TRY_MS = 80_000;
const FAILED_MS = 8000;
/** The voice comes first: what it takes, with headers. */
const VOICE = { usual: 50_000, thin: 28_000 };

/**
 * What the browser tells of its way out.
 * @typedef {object} WayOut
 * @property {number} available bits a second that it thinks to be carried
 * @property {number} roundTrip seconds; 0 while unknown
 * @property {boolean} thin the voice takes less already
 */

/** Begins small, goes down at once to what fits, and up to what fits with some to spare. */
export class Ladder {
  /** @type {Mode} */ mode = "small";
  /** @type {number | null} until the first guess is over */ #begun = null;
  /** Whether the first guess is over. */ settled = false;
  /** @type {number | null} */ #untoldSince = null;
  /** @type {number | null} */ #shortSince = null;
  /** @type {number | null} */ #standingSince = null;
  /** @type {number | null} */ #ampleSince = null;
  #changedAt = 0;
  #rose = false;
  /** Whether the mode was last left for what stood in the way out. */ #drains = false;
  #tryAfter = TRY_MS;
  #leastRoundTrip = Number.POSITIVE_INFINITY;

  /** @param {WayOut} way @param {number} at milliseconds @returns {boolean} whether `mode` changed */
  take(way, at) {
    this.#untoldSince = null;
    this.#begun ??= at;
    if (!this.settled && at - this.#begun >= GUESS_MS) {
      this.settled = true;
      return this.#become(fitting(way.available, way.thin, SPARE), at);
    }
    return this.#down(way, at) || this.#up(way, at);
  }

  /** Where the browser tells nothing of its way out.
   * @param {string} level what the room says of the link @param {number} at
   * @returns {boolean} whether `mode` changed */
  takeLevel(level, at) {
    this.#untoldSince ??= at;
    if (at - this.#untoldSince < UNTOLD_MS) return false;
    this.settled = true;
    return this.#become(BY_LEVEL[level], at);
  }

  /** @param {WayOut} way @param {number} at */
  #down({ available, roundTrip, thin }, at) {
    const picture = pictureOf(available, thin);
    const need = NEEDS[this.mode];
    this.#shortSince = picture < need ? (this.#shortSince ?? at) : null;
    const collapsed = this.settled && picture < need * COLLAPSED;
    const short = this.#shortSince !== null && at - this.#shortSince >= DOWN_MS;
    if (!collapsed && !short && !this.#stands(roundTrip, at)) return false;
    this.#drains = picture >= need;
    const failed = this.#rose && at - this.#changedAt < FAILED_MS;
    const first = this.#drains ? DRAINED_MS : TRY_MS;
    this.#tryAfter = failed ? Math.min(Math.max(this.#tryAfter, first) * 2, LONGEST_TRY_MS) : first;
    const next = MODES[MODES.indexOf(this.mode) + 1];
    return this.#become(this.#drains ? next : fitting(available, thin), at);
  }

  /** Whether what was sent has stood in the way out for a while. Without a picture it is no fault of
   * the picture's: then this is what the round trip is. @param {number} roundTrip @param {number} at */
  #stands(roundTrip, at) {
    const least = this.mode === "voice" ? roundTrip : Math.min(this.#leastRoundTrip, roundTrip);
    if (roundTrip) this.#leastRoundTrip = least;
    const stands = roundTrip - this.#leastRoundTrip > STANDING;
    this.#standingSince = stands ? (this.#standingSince ?? at) : null;
    return this.#standingSince !== null && at - this.#standingSince >= STANDING_MS[this.mode];
  }

  /** Whether what is sent fits and nothing of it stands in the way out. */
  get isWell() {
    return this.settled && this.#shortSince === null && this.#standingSince === null;
  }

  /** @param {WayOut} way @param {number} at */
  #up({ available, thin }, at) {
    const here = MODES.indexOf(this.mode);
    const picture = pictureOf(available, thin);
    const better = MODES.slice(0, here).find((mode) => picture >= NEEDS[mode] * SPARE);
    const ample = better !== undefined && this.#standingSince === null;
    this.#ampleSince = ample ? (this.#ampleSince ?? at) : null;
    const wait = better && picture >= NEEDS[better] * PLENTY ? SURE_MS : UP_MS;
    if (this.#ampleSince !== null && at - this.#ampleSince >= wait) {
      return this.#become(better, at);
    }
    const blind = this.mode === "voice" || this.mode === "still";
    const onTrial = (blind || this.#drains) && this.isWell && at - this.#changedAt >= this.#tryAfter;
    return onTrial && this.#become(MODES[here - 1], at);
  }

  /** @param {Mode | undefined} mode @param {number} at */
  #become(mode, at) {
    this.#shortSince = this.#standingSince = this.#ampleSince = null;
    if (mode === undefined || mode === this.mode) return false;
    this.#rose = MODES.indexOf(mode) < MODES.indexOf(this.mode);
    this.mode = mode;
    this.#changedAt = at;
    return true;
  }
}

/** @param {number} available @param {boolean} thin */
function pictureOf(available, thin) {
  return available - (thin ? VOICE.thin : VOICE.usual);
}

/**
 * The best mode that fits.
 * @param {number} available bits a second @param {boolean} [thin] the voice takes less already
 * @param {number} [spare] how many times what it needs must be there
 * @returns {Mode}
 */
export function fitting(available, thin = false, spare = 1) {
  const picture = pictureOf(available, thin);
  return MODES.find((mode) => picture >= NEEDS[mode] * spare) ?? "voice";
}
