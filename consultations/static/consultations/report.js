/**
 * What this browser tells of its own connection, for the record of the call: a few totals every
 * ten seconds and as soon as it is there (`stats` in PROTOCOL.md), never an address.
 */

import { selectedPair } from "./pair.js";
import { sample } from "./quality.js";

/** @typedef {import("./call.js").Call} Call */
/** @typedef {{path: string, round_trip: number | null, concealed: number | null,
 *   freezes: number | null, frozen: number | null}} Told */

const EVERY_MS = 10_000;
const MOST = { round_trip: 60, freezes: 100_000, frozen: 86_400 };

/** The pictures that stood still, of one connection. */
class Freezes {
  #counted = 0;
  #seconds = 0;
  freezes = 0;
  frozen = 0;

  /**
   * A pause longer than the time between two looks is a camera that was off or a link that was
   * lost, of which the room knows by itself.
   * @param {number} counted @param {number} seconds in all, by the browser
   */
  take(counted, seconds) {
    const more = seconds - this.#seconds;
    if (more <= EVERY_MS / 1000 && counted > this.#counted) {
      this.freezes += counted - this.#counted;
      this.frozen += Math.max(0, more);
    }
    this.#counted = counted;
    this.#seconds = seconds;
  }
}

/**
 * One report at a time: what was not answered yet is not overtaken by the next.
 * @param {import("./signal.js").Signal} signal @param {() => Call | null} call
 * @returns {() => void} reports now: a call that soon breaks off has its path in the record too
 */
export function reportCalls(signal, call) {
  /** @type {Call | null} */ let current = null;
  let freezes = new Freezes();
  let asking = false;
  const report = async () => {
    const now = call();
    if (now !== current) {
      current = now;
      freezes = new Freezes();
    }
    if (now?.state !== "connected" || asking) return;
    asking = true;
    try {
      await signal.change("stats", told(await now.reports(), freezes));
    } catch {
      // Too fast, or no longer inside: the record does without these seconds.
    } finally {
      asking = false;
    }
  };
  setInterval(report, EVERY_MS);
  return report;
}

/** @param {RTCStatsReport} report @param {Freezes} freezes @returns {Told} */
function told(report, freezes) {
  const all = /** @type {any[]} */ ([...report.values()]);
  const video = all.filter((one) => one.type === "inbound-rtp" && one.kind === "video");
  const counts = video.some((one) => one.freezeCount !== undefined);
  freezes.take(sum(video, "freezeCount"), sum(video, "totalFreezesDuration"));
  const { concealed, samples, roundTrip } = sample(report);
  return {
    path: pathOf(all),
    round_trip: roundTrip ? Math.min(roundTrip, MOST.round_trip) : null,
    concealed: samples ? Math.min(1, Math.max(0, concealed / samples)) : null,
    freezes: counts ? Math.min(freezes.freezes, MOST.freezes) : null,
    frozen: counts ? Math.min(freezes.frozen, MOST.frozen) : null,
  };
}

/** @param {any[]} all @returns {string} */
function pathOf(all) {
  const pair = selectedPair(all);
  const local = all.find((one) => one.id === pair?.localCandidateId);
  if (!local) return "unknown";
  if (local.candidateType !== "relay") return "direct";
  return ["tcp", "tls"].includes(local.relayProtocol) ? "relay-tcp" : "relay";
}

/** @param {any[]} reports @param {string} field */
function sum(reports, field) {
  return reports.reduce((total, one) => total + (one[field] ?? 0), 0);
}
