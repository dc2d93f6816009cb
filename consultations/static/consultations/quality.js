/**
 * From the browser's own statistics (W3C webrtc-stats) to what a person should be told.
 * Touches no document: the page turns the words into sentences of its language.
 */

import { selectedPair } from "./pair.js";

/** Pictures a second below which movement, gait and breathing cannot be judged. */
export const JUDGED_FRAMES = 10;

/**
 * `good`; `fair`: works with small faults; `poor`: the picture suffers; `voice-only`: sound comes
 * and no picture; `lost`: nothing comes.
 * @typedef {"good" | "fair" | "poor" | "voice-only" | "lost"} Verdict
 */

/**
 * Counters of one moment, summed over all that this browser receives.
 * @typedef {object} Sample
 * @property {number} at milliseconds
 * @property {string} pair the id of what carries it; empty while nothing does
 * @property {number} bytesReceived over this pair
 * @property {number} bytesSent over this pair
 * @property {number} packetsSent of media
 * @property {number} packetsReceived
 * @property {number} packetsLost
 * @property {Map<string, number>} frames decoded, by the section (`mid`) they came in
 * @property {number} concealed samples that were made up because none came in time
 * @property {number} samples audio samples played in all
 * @property {number} audioEnergy rises while anything is heard
 * @property {number} roundTrip seconds; 0 while unknown
 * @property {number | null} availableUp bits a second that the browser thinks its way out carries
 */

/**
 * What happened between two samples.
 * @typedef {object} Measure
 * @property {number} seconds
 * @property {number} loss 0 to 1
 * @property {number} concealed 0 to 1
 * @property {number} framesPerSecond of the camera that comes fastest
 * @property {number} slowest frames a second, of the camera that comes slowest
 * @property {number} kbitReceived per second
 * @property {number} kbitSent per second
 * @property {number} roundTrip seconds
 */

/** @param {RTCStatsReport} report @param {number} at @returns {Sample} */
export function sample(report, at = performance.now()) {
  /** @type {Sample} */
  const sum = {
    at,
    pair: "",
    bytesReceived: 0,
    bytesSent: 0,
    packetsSent: 0,
    packetsReceived: 0,
    packetsLost: 0,
    frames: new Map(),
    concealed: 0,
    samples: 0,
    audioEnergy: 0,
    roundTrip: 0,
    availableUp: null,
  };
  report.forEach((stat) => {
    if (stat.type === "inbound-rtp") {
      sum.packetsReceived += stat.packetsReceived ?? 0;
      sum.packetsLost += stat.packetsLost ?? 0;
      if (stat.framesDecoded) {
        sum.frames.set(stat.mid, (sum.frames.get(stat.mid) ?? 0) + stat.framesDecoded);
      }
      sum.concealed += (stat.concealedSamples ?? 0) - (stat.silentConcealedSamples ?? 0);
      sum.samples += stat.totalSamplesReceived ?? 0;
      sum.audioEnergy += stat.totalAudioEnergy ?? 0;
    } else if (stat.type === "outbound-rtp") {
      sum.packetsSent += stat.packetsSent ?? 0;
    }
  });
  const pair = selectedPair([...report.values()]);
  sum.pair = pair?.id ?? "";
  sum.bytesReceived = pair?.bytesReceived ?? 0;
  sum.bytesSent = pair?.bytesSent ?? 0;
  sum.roundTrip = pair?.currentRoundTripTime ?? 0;
  sum.availableUp = pair?.availableOutgoingBitrate ?? null;
  return sum;
}

/**
 * What is counted may fall, as `packetsLost` does when a packet comes late.
 * @param {number} later @param {number} earlier
 */
function rise(later, earlier) {
  return Math.max(0, later - earlier);
}

/**
 * The bytes that came, and those that went, since `earlier`; another pair counts anew.
 * @param {Sample | null} earlier @param {Sample} later
 */
export function carried(earlier, later) {
  const since = (/** @type {"bytesReceived" | "bytesSent"} */ key) =>
    later[key] - (earlier?.pair === later.pair ? earlier[key] : 0);
  return { received: since("bytesReceived"), sent: since("bytesSent") };
}

/**
 * @param {Sample} earlier @param {Sample} later
 * @param {string[]} cameras the sections whose pictures ought to move; all that did, if not told
 * @returns {Measure}
 */
export function measure(earlier, later, cameras = [...later.frames.keys()]) {
  const seconds = Math.max(0.001, (later.at - earlier.at) / 1000);
  const rates = cameras.map(
    (mid) => rise(later.frames.get(mid) ?? 0, earlier.frames.get(mid) ?? 0) / seconds,
  );
  const fastest = Math.max(0, ...rates);
  const received = rise(later.packetsReceived, earlier.packetsReceived);
  const lost = rise(later.packetsLost, earlier.packetsLost);
  const samples = rise(later.samples, earlier.samples);
  const bytes = carried(earlier, later);
  return {
    seconds,
    loss: lost / Math.max(1, received + lost),
    concealed: rise(later.concealed, earlier.concealed) / Math.max(1, samples),
    framesPerSecond: fastest,
    slowest: Math.min(fastest, ...rates),
    kbitReceived: (bytes.received * 8) / 1000 / seconds,
    kbitSent: (bytes.sent * 8) / 1000 / seconds,
    roundTrip: later.roundTrip,
  };
}

/**
 * @param {Measure} now
 * @param {{video: boolean, audio: boolean}} expected what the others are sending at the moment
 * @returns {Verdict}
 */
export function verdict(now, expected) {
  if ((expected.video || expected.audio) && now.kbitReceived < 1) return "lost";
  if (expected.video && now.framesPerSecond < 1) return "voice-only";
  if (now.loss > 0.08 || now.concealed > 0.05 || now.roundTrip > 0.8) return "poor";
  if (expected.video && now.slowest < 8) return "poor";
  if (now.loss > 0.02 || now.concealed > 0.01 || now.roundTrip > 0.35) return "fair";
  return "good";
}

/** A verdict that does not flicker: worse at once when lost, else after the same word twice. */
export class SteadyVerdict {
  /** @type {Verdict} */
  current = "good";
  /** @type {Verdict} */
  #next = "good";

  /** @param {Verdict} seen @returns {boolean} whether `current` changed */
  take(seen) {
    const sure = seen === "lost" || seen === this.#next;
    this.#next = seen;
    if (!sure || seen === this.current) return false;
    this.current = seen;
    return true;
  }
}
