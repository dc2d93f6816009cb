/**
 * The visit's media: one connection after another (call.js), the offers by which the room answers
 * it, and how good it is. The page says when to prepare, to enter and to hang up.
 */

import { after } from "./after.js";
import { Call } from "./call.js";
import { detail } from "./events.js";
import { freshDocument } from "./frame.js";
import { JUDGED_FRAMES, SteadyVerdict, carried, measure, sample, verdict } from "./quality.js";
import { reportCalls } from "./report.js";
import { Superseded, codeOf } from "./signal.js";

/** @typedef {import("./signal.js").Signal} Signal */
/** @typedef {import("./call.js").CallState} CallState */
/** @typedef {import("./quality.js").Sample} Sample */

/** From the best to the worst. */
const QUALITIES = ["good", "fair", "poor", "voice-only", "lost"];
/** The media server forgets who was silent for 30 s; silence shows here some seconds late. */
const FORGOTTEN_MS = 20_000;
/** After which an offer that was refused for the moment is made again. @type {Record<string, number>} */
const AGAIN_MS = { busy: 1500, too_fast: 5000, full: 5000, unavailable: 5000 };
/** What flows shows in the browser's figures within this time; they are made anew every 50 ms. */
const SHOWN_MS = 300;
/** A timer that was held up comes twice at once: between two such looks nothing comes. */
const LEAST_MS = 250;
const SLOW_MS = 4000;
/** The share of a voice made up because it did not come, from which more is waited for. */
const HOLES = 0.02;
const PATIENT_MS = 30_000;

/**
 * Events: `slot` (detail: SlotTrack), `over` when the slots of before bring nothing any more,
 * `state` (detail: CallState), `trouble` (detail: the error of an offer), `channel` (detail: the
 * data channel of this connection, open).
 */
export class Media extends EventTarget {
  /** @type {Call | null} */ call = null;
  /** @type {string} what the server can send */ serverLevel = "good";
  #entered = false;
  #steady = new SteadyVerdict();
  /** @type {Sample | null} */ #before = null;
  /** In both directions since the page was opened. */ bytes = 0;
  /** @type {number | null} */ #slowSince = null;
  /** Whether the picture has been too slow for some seconds to judge movement by. */
  slow = false;
  /** What the call costs in both directions, kbit a second, over the last seconds. */
  kbit = 0;
  #holedAt = Number.NEGATIVE_INFINITY;
  #offers = 0;
  #lostAt = 0;
  /** @type {string | null} the server's side of the present connection; null before an answer */
  #session = null;
  /** @type {Promise<Sample | null> | null} what had come when the network
   *   came back, until that is judged */
  #cameBack = null;
  /** @type {ReturnType<typeof freshDocument> | null} where the connection lives, if not here */
  #document = null;
  /** @type {() => void} */ #report;

  /** @param {Signal} signal
   * @param {() => [MediaStream, MediaStreamTrack | null]} sending what may leave at present, and the
   *   shared screen */
  constructor(signal, sending) {
    super();
    this.signal = signal;
    this.sending = sending;
    this.#report = reportCalls(signal, () => this.call);
    signal.addEventListener("moved", () => this.#anew());
    signal.addEventListener("link", (event) => {
      if (/** @type {CustomEvent} */ (event).detail === "open") void this.#hurry();
    });
    globalThis.addEventListener("online", () => {
      this.#cameBack = this.#look();
    });
  }

  /** Devices and offer are ready before admission, so that it costs one round trip. */
  prepare() {
    if (this.call !== null) return;
    this.call = this.#newCall();
    void this.call.prepare(...this.sending());
  }

  /** Once for each time that this person is let in. */
  enter() {
    this.#entered = true;
    this.prepare();
    const call = this.call;
    if (call) void this.#negotiate(() => call.offer(), call);
  }

  hangUp() {
    const call = this.call;
    this.call = null;
    this.#entered = false;
    this.#before = null;
    call?.close();
    this.#document?.remove();
    this.#document = null;
    this.#tell("over", null);
  }

  /** Bits a second that the way out carries, where the browser tells. @returns {number | null} */
  get availableUp() {
    return this.#before?.availableUp ?? null;
  }

  /** Seconds; 0 while unknown. */
  get roundTrip() {
    return this.#before?.roundTrip ?? 0;
  }

  /** @returns {boolean} */
  get entered() {
    return this.#entered;
  }

  get reconnecting() {
    return this.call?.state === "reconnecting";
  }

  /** Look at what came since the last time.
   * @param {{video: boolean, audio: boolean, cameras: string[]}} expected */
  async tick(expected) {
    if (this.call?.state !== "connected") return;
    const now = sample(await this.call.reports());
    if (this.#before && now.at - this.#before.at < LEAST_MS) return;
    const { received, sent } = carried(this.#before, now);
    this.bytes += received + sent;
    if (this.#before) {
      const seen = measure(this.#before, now, expected.cameras);
      this.#steady.take(verdict(seen, expected));
      this.#noteRates(seen, expected.video, now.at);
      if (seen.concealed > HOLES) this.#holedAt = now.at;
      this.call.patient = now.at - this.#holedAt < PATIENT_MS;
    }
    // Who sends no media is heard by their pings alone.
    if (now.packetsSent === (this.#before?.packetsSent ?? now.packetsSent)) this.signal.ping();
    this.#before = now;
  }

  /** @param {import("./quality.js").Measure} seen @param {boolean} video @param {number} at */
  #noteRates(seen, video, at) {
    this.kbit += (seen.kbitReceived + seen.kbitSent - this.kbit) * 0.1;
    const slow = video && seen.slowest < JUDGED_FRAMES;
    this.#slowSince = slow ? (this.#slowSince ?? at) : null;
    this.slow = this.#slowSince !== null && at - this.#slowSince >= SLOW_MS;
  }

  /** The worse of what this browser measures and what the server can send. @returns {string} */
  get quality() {
    if (this.call?.state !== "connected") return "connecting";
    const server = this.serverLevel === "audio-only" ? "voice-only" : this.serverLevel;
    const worse = Math.max(QUALITIES.indexOf(this.#steady.current), QUALITIES.indexOf(server));
    return QUALITIES[worse] ?? "good";
  }

  #newCall() {
    this.#session = null;
    const call = new Call({
      slots: { audio: 5, video: 6 },
      Connection: this.#document?.Connection,
    });
    const channel = call.openChannel();
    channel.addEventListener("open", () => {
      if (call === this.call) this.#tell("channel", channel);
    });
    call.addEventListener("slot", (event) => this.#tell("slot", detail(event)));
    call.addEventListener("needoffer", () => this.#restart(call));
    call.addEventListener("state", (event) => {
      if (call === this.call) this.#changed(detail(event));
    });
    return call;
  }

  /** Where media stop or come back, the socket beside them has died or can be had again.
   * @param {CallState} state */
  #changed(state) {
    if (state === "reconnecting") this.#lostAt = performance.now();
    if (state === "connected") this.#report();
    this.#tell("state", state);
    this.signal.probe();
  }

  /** What was lost with the link is asked for as soon as it is back. */
  async #hurry() {
    const { call } = this;
    if (!call) return;
    const before = await this.#cameBack;
    this.#cameBack = null;
    const moved = before !== null && !(await this.#flowsSince(before));
    if (call !== this.call) return;
    if (moved) this.#anew(freshDocument());
    else if (this.reconnecting) this.#restart(call);
  }

  /** Another pair than before was just found to carry. @param {Sample} before */
  async #flowsSince(before) {
    const early = before.at + SHOWN_MS - performance.now();
    if (early > 0) await after(early);
    const now = await this.#look();
    if (!now?.pair) return false;
    return now.pair !== before.pair || carried(before, now).received > 0;
  }

  async #look() {
    return this.call ? sample(await this.call.reports()) : null;
  }

  /** @param {Call} call */
  #restart(call) {
    if (call !== this.call) return;
    const forgotten = this.reconnecting && performance.now() - this.#lostAt > FORGOTTEN_MS;
    if (forgotten) this.#anew();
    else void this.#negotiate(() => call.restart(), call);
  }

  /** The media server does not know this connection any more, or its network is gone: another
   * takes its place.
   * @param {ReturnType<typeof freshDocument> | null} [place] */
  #anew(place = null) {
    const entered = this.#entered;
    this.hangUp();
    this.#document = place;
    if (entered) this.enter();
  }

  /** One offer at a time: a newer one takes the place of what was not answered yet.
   * @param {() => Promise<string>} makeOffer @param {Call} call */
  async #negotiate(makeOffer, call) {
    const turn = ++this.#offers;
    this.signal.drop("offer");
    try {
      const sdp = await makeOffer();
      if (turn !== this.#offers) return;
      const answer = await this.signal.change("offer", { sdp });
      if (call !== this.call) return;
      if (this.#session !== null && this.#session !== answer.session) {
        // Its other side is gone, though the network may carry again what nobody can read.
        this.#anew();
        return;
      }
      this.#session = answer.session;
      await call.accept(answer.sdp, answer.ice_servers);
    } catch (error) {
      if (call !== this.call || error instanceof Superseded) return;
      const wait = AGAIN_MS[codeOf(error)];
      if (wait !== undefined) setTimeout(() => this.#again(call, turn), wait);
      this.#tell("trouble", error);
    }
  }

  /** Nothing was wrong with the offer. @param {Call} call @param {number} turn */
  #again(call, turn) {
    if (call === this.call && turn === this.#offers) {
      void this.#negotiate(() => call.offer(), call);
    }
  }

  /** @param {string} type @param {unknown} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
