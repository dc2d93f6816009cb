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
const NEEDS = { full: 220_000, small: 110_000, slow: 24_000, still: 10_000, voice: 0 };

/** Up only where the better mode fits with this much to spare, for so long. */
const SPARE = 1.35;
const UP_MS = 6000;
const DOWN_MS = 1500;
/** How long the browser's first guess at the link is not believed: until then a small picture, whose
 * first frame is soon through a thin link. */
const GUESS_MS = 2000;
/** What is sent is all that the browser knows its way out to carry: a mode that has gone well for so
 * long is left upwards on trial; each trial that fails soon doubles the time until the next. */
const TRY_MS = 10_000;
const LONGEST_TRY_MS = 80_000;
const FAILED_MS = 8000;
/** The voice comes first: what it takes, with headers. */
const VOICE = { usual: 50_000, thin: 28_000 };

/** Begins small, goes down at once to what fits, up one step at a time. */
export class Ladder {
  /** @type {Mode} */ mode = "small";
  /** @type {number | null} until the first guess is over */ #begun = null;
  /** Whether the first guess is over. */ settled = false;
  /** @type {number | null} */ #shortSince = null;
  /** @type {number | null} */ #ampleSince = null;
  #changedAt = 0;
  #tryAfter = TRY_MS;

  /**
   * @param {number} available bits a second that the browser thinks its way out carries
   * @param {number} at milliseconds @param {boolean} thin the voice takes less already
   * @returns {boolean} whether `mode` changed
   */
  take(available, at, thin) {
    const picture = available - (thin ? VOICE.thin : VOICE.usual);
    const fits = fitting(available, thin);
    const here = MODES.indexOf(this.mode);
    const better = MODES[here - 1];
    const short = picture < NEEDS[this.mode];
    const spare = better !== undefined && picture >= NEEDS[better] * SPARE;
    this.#begun ??= at;
    if (!this.settled && at - this.#begun >= GUESS_MS) {
      this.settled = true;
      return this.#become(fits, at);
    }
    this.#shortSince = short ? (this.#shortSince ?? at) : null;
    this.#ampleSince = spare ? (this.#ampleSince ?? at) : null;
    if (this.#shortSince !== null && at - this.#shortSince >= DOWN_MS) {
      const failed = at - this.#changedAt < FAILED_MS;
      this.#tryAfter = failed ? Math.min(this.#tryAfter * 2, LONGEST_TRY_MS) : TRY_MS;
      return this.#become(fits, at);
    }
    const ample = this.#ampleSince !== null && at - this.#ampleSince >= UP_MS;
    const onTrial = this.settled && !short && at - this.#changedAt >= this.#tryAfter;
    return (ample || onTrial) && this.#become(better, at);
  }

  /** @param {Mode | undefined} mode @param {number} at */
  #become(mode, at) {
    this.#shortSince = this.#ampleSince = null;
    if (mode === undefined || mode === this.mode) return false;
    this.mode = mode;
    this.#changedAt = at;
    return true;
  }
}

/**
 * The best mode that fits.
 * @param {number} available bits a second @param {boolean} [thin] the voice takes less already
 * @returns {Mode}
 */
export function fitting(available, thin = false) {
  const picture = available - (thin ? VOICE.thin : VOICE.usual);
  return MODES.find((mode) => picture >= NEEDS[mode]) ?? "voice";
}
