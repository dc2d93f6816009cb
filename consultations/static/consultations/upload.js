/**
 * One picture on its way to the room, over the data channel beside the media (PROTOCOL.md section
 * 7). Paced so that the voice is not hurt: as soon as pieces come later than they could, it slows
 * down. What was lost with a connection is asked for on the next.
 */

/** @typedef {{have: number, stored?: boolean, refused?: string, thin?: boolean}} Told */

const TICK_MS = 50;
const HEAD = 20;
/** Bytes of a piece: on a slow way short ones, between which voice packets fit. */
const SHORT = 1024;
const LONG = 8192;
const LONG_FROM = 60_000;
/** Bytes a second, with headers some 18 kbit/s: what is sent however late it comes. */
const LEAST = 2_000;
/** Where nobody tells what the way out carries, and pieces come late: one in two seconds, by which it
 * is seen that the way is free again. */
const TRICKLE = 512;
const FIRST = 3_000;
const SHARE = 0.25;
/** What a piece may come later than the quickest did, before the others are held back. */
const CALM_MS = 40;
const HURT_MS = 90;
/** Milliseconds a second by which the quickest is forgotten: the way may have become longer. */
const FORGOTTEN = 2;
/** Bits a second of the way out below which it belongs to the voice alone, and from which not: what a
 * thin voice takes (`ladder.js`) and `LEAST` beside it. */
const THIN = 46_000;
const CLEAR = 50_000;
const BUFFERED = 16_384;
const STALLED_MS = 4_000;
const TRIES = 3;

export class Upload {
  /** @type {RTCDataChannel | null} */ #channel = null;
  #listening = new AbortController();
  #timer = 0;
  #have = 0;
  #sent = 0;
  #ready = false;
  #granted = FIRST;
  #rate = FIRST;
  #allowance = 0;
  #thin = false;
  #best = Infinity;
  /** The rate at which pieces last had to wait: near it, more is tried with care. */
  #hurtAt = Infinity;
  #tickedAt = 0;
  #judgedAt = 0;
  #heardAt = 0;
  #tries = 0;
  /** @type {{end: number, at: number}[]} */ #away = [];

  /**
   * @param {string} id @param {ArrayBuffer} bytes
   * @param {() => number | null} availableUp bits a second, where the browser tells
   * @param {(told: Told) => void} told
   */
  constructor(id, bytes, availableUp, told) {
    this.id = id;
    this.bytes = bytes;
    this.availableUp = availableUp;
    this.told = told;
    this.#timer = window.setInterval(() => this.#tick(), TICK_MS);
  }

  /** Goes on over this channel. @param {RTCDataChannel} channel open */
  use(channel) {
    this.#listening.abort();
    this.#listening = new AbortController();
    this.#channel = channel;
    this.#best = Infinity;
    channel.addEventListener("message", (event) => this.#hear(event.data), {
      signal: this.#listening.signal,
    });
    this.#ask();
  }

  stop() {
    clearInterval(this.#timer);
    this.#listening.abort();
    this.#channel = null;
  }

  #ask() {
    this.#ready = false;
    this.#away = [];
    this.#heardAt = performance.now();
    if (this.#channel?.readyState === "open") this.#channel.send(JSON.stringify({ picture: this.id }));
  }

  /** @param {unknown} data */
  #hear(data) {
    const word = typeof data === "string" ? JSON.parse(data) : {};
    if (word.picture !== this.id) return;
    const now = performance.now();
    if (word.refused && (word.refused !== "hash" || ++this.#tries >= TRIES)) {
      this.stop();
      this.told({ have: this.#have, refused: word.refused });
    } else if (word.stored) {
      this.stop();
      this.told({ have: this.bytes.byteLength, stored: true });
    } else if (word.refused) {
      this.#ask();
    } else {
      if (word.have !== this.#have) this.#heardAt = now;
      if (!this.#ready) [this.#ready, this.#sent] = [true, word.have];
      this.#have = word.have;
      if (word.rate) this.#granted = word.rate;
      this.#judge(now);
      this.told({ have: this.#have, thin: this.#thin });
    }
  }

  /** How long the newest piece that arrived was away tells what waits on the way.
   * @param {number} now */
  #judge(now) {
    let arrived;
    while (this.#away[0] && this.#away[0].end <= this.#have) arrived = this.#away.shift();
    if (!arrived) return;
    const took = now - arrived.at;
    const seconds = Math.min(1, (now - this.#judgedAt) / 1000);
    this.#best = Math.min(this.#best + FORGOTTEN * seconds, took);
    this.#judgedAt = now;
    const waited = took - this.#best;
    if (waited > HURT_MS) {
      if (this.#rate > this.#least()) this.#hurtAt = this.#rate;
      this.#rate *= 0.25 ** seconds;
    } else if (waited < CALM_MS) {
      this.#rate *= (this.#rate < 0.6 * this.#hurtAt ? 2 : 1.05) ** seconds;
    }
    this.#rate = Math.min(Math.max(this.#rate, this.#least()), this.#granted);
  }

  /** A busy telephone or server makes pieces late as well: whatever waits, a share of the way out
   * that the browser finds for its media is taken. Where it does not tell, it may be the voice that
   * waits. */
  #least() {
    const carries = this.availableUp();
    return carries === null ? TRICKLE : Math.max(LEAST, (carries * SHARE) / 8);
  }

  #tick() {
    const now = performance.now();
    const seconds = Math.min(0.5, (now - this.#tickedAt) / 1000);
    this.#tickedAt = now;
    const channel = this.#channel;
    if (channel?.readyState !== "open") return;
    if (now - this.#heardAt > STALLED_MS) this.#ask();
    this.#lookAtTheWay();
    if (!this.#ready || this.#thin) return;
    const most = this.#rate > LONG_FROM ? LONG : SHORT;
    this.#allowance = Math.min(this.#allowance + this.#rate * seconds, Math.max(most, this.#rate / 10));
    while (this.#mayGo(channel) && this.#allowance >= most) {
      const size = Math.min(most, this.bytes.byteLength - this.#sent);
      channel.send(this.#piece(this.#sent, size));
      this.#sent += size;
      this.#allowance -= size;
      this.#away.push({ end: this.#sent, at: now });
    }
  }

  /** Never more on the way than a second takes: what is lost there is not sent blindly on.
   * @param {RTCDataChannel} channel */
  #mayGo(channel) {
    const away = this.#sent - this.#have;
    const left = this.#sent < this.bytes.byteLength;
    return left && channel.bufferedAmount < BUFFERED && away < Math.max(2 * SHORT, this.#rate);
  }

  #lookAtTheWay() {
    const carries = this.availableUp();
    const was = this.#thin;
    this.#thin = carries !== null && carries < (was ? CLEAR : THIN);
    if (was !== this.#thin) this.told({ have: this.#have, thin: this.#thin });
  }

  /** @param {number} from @param {number} size */
  #piece(from, size) {
    const piece = new Uint8Array(HEAD + size);
    const hex = this.id.replaceAll("-", "");
    for (let i = 0; i < 16; i += 1) piece[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
    new DataView(piece.buffer).setUint32(16, from);
    piece.set(new Uint8Array(this.bytes, from, size), HEAD);
    return piece;
  }
}
