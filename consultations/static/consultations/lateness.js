/** How late a stream's pictures are, by their RTP time stamps. Touches no document. */

const TICKS_MS = 90;
const TURN = 2 ** 32;
/** Of the time gone by: two clocks drift apart, and a queue does not stand for a quarter of an hour. */
const DRIFT = 0.002;
/** Nothing on the way holds a picture for so long: a clock stood still, that of a laptop that slept. */
const MOST_MS = 10_000;

/** Beside the promptest picture so far, whose own way took a fraction of a second. */
export class Lateness {
  #ticks = 0;
  /** @type {number | null} */ #stamp = null;
  #least = 0;
  #at = 0;

  /**
   * @param {number | undefined} stamp of the picture, 90 kHz (RFC 7741), where the browser tells it
   * @param {number} at milliseconds, when it was shown
   * @returns {number} milliseconds
   */
  take(stamp, at) {
    if (stamp === undefined) return 0;
    const first = this.#stamp === null;
    this.#ticks += this.#stamp === null ? 0 : signed(stamp - this.#stamp);
    const delay = at - this.#ticks / TICKS_MS;
    const least = this.#least + (at - this.#at) * DRIFT;
    this.#least = first || delay - least > MOST_MS ? delay : Math.min(least, delay);
    this.#stamp = stamp;
    this.#at = at;
    return delay - this.#least;
  }
}

/** The shorter way round. @param {number} ticks */
function signed(ticks) {
  const forward = ((ticks % TURN) + TURN) % TURN;
  return forward < TURN / 2 ? forward : forward - TURN;
}
