/**
 * The connection test: this browser's picture and sound go to the media server and back, in a
 * session that reaches no room, and what arrives is judged in words. Sends `tested` (detail: the
 * Verdict) from `#connection-test`, and tells the server for the place where it was made.
 */

/**
 * What the server keeps of a test (`POST …/measured` in PROTOCOL.md); `expected_mode` is "" when
 * nothing came back.
 * @typedef {{verdict: string, expected_mode: string, kbit_up: number, kbit_down: number,
 *   round_trip_ms: number, loss: number}} Measured
 */

import { Call } from "./call.js";
import { after } from "./after.js";
import { fitting } from "./ladder.js";
import { measure, sample, verdict } from "./quality.js";
import { Signal } from "./signal.js";
import { maybe, one } from "./words.js";

const TEST_MS = 8000;
const SETTLE_MS = 2000;
/** @type {Measured} */
const NOTHING = {
  verdict: "lost",
  expected_mode: "",
  kbit_up: 0,
  kbit_down: 0,
  round_trip_ms: 0,
  loss: 1,
};

/**
 * @param {HTMLElement} root @param {() => Promise<import("./signal.js").Ticket>} askTicket
 * @param {MediaStream} stream what the device check opened; without it nothing can be tested
 */
export async function testConnection(root, askTicket, stream) {
  const button = /** @type {HTMLButtonElement} */ (one(root, "[data-test-start]"));
  button.disabled = true;
  one(root, "[data-test-running]").hidden = false;
  draw(root, "", "");
  const signal = new Signal(askTicket);
  const call = new Call({ slots: { audio: 1, video: 1 } });
  try {
    tell(root, await run(signal, call, stream));
  } catch {
    tell(root, NOTHING);
  } finally {
    signal.stop();
    call.close();
    one(root, "[data-test-running]").hidden = true;
    button.disabled = false;
  }
}

/** @param {Signal} signal @param {Call} call @param {MediaStream} stream @returns {Promise<Measured>} */
async function run(signal, call, stream) {
  const lost = after(TEST_MS);
  signal.start();
  const answer = await Promise.race([
    signal.change("offer", { sdp: await call.prepare(stream) }),
    lost.then(() => Promise.reject(new Error("no answer"))),
  ]);
  await call.accept(answer.sdp, answer.ice_servers);
  await after(SETTLE_MS);
  const before = sample(await call.reports());
  await after(TEST_MS - SETTLE_MS);
  const later = sample(await call.reports());
  const pictured = stream.getVideoTracks().length > 0;
  return judged(measure(before, later), (later.availableUp ?? 0) / 1000, {
    video: pictured,
    audio: stream.getAudioTracks().length > 0,
  });
}

/**
 * @param {import("./quality.js").Measure} found
 * @param {number} kbit what the browser thinks that it may send, held by the server to what it can
 *   send back; 0 where the browser does not tell
 * @param {{video: boolean, audio: boolean}} sent @returns {Measured}
 */
function judged(found, kbit, sent) {
  const word = verdict(found, sent);
  const carried = Math.min(found.kbitSent, found.kbitReceived);
  return {
    verdict: word,
    expected_mode: expected(word, Math.max(kbit, carried)),
    kbit_up: Math.round(found.kbitSent),
    kbit_down: Math.round(found.kbitReceived),
    round_trip_ms: Math.round(found.roundTrip * 1000),
    loss: found.loss,
  };
}

/** @param {string} word the verdict @param {number} kbit */
function expected(word, kbit) {
  if (word === "lost") return "";
  return word === "voice-only" ? "voice" : fitting(kbit * 1000);
}

/** @param {HTMLElement} root @param {Measured} measured */
function tell(root, measured) {
  const { verdict: word, expected_mode } = measured;
  root.dispatchEvent(new CustomEvent("tested", { detail: word, bubbles: true }));
  keep(root, measured);
  draw(root, word, expected_mode);
}

/** @param {HTMLElement} root @param {string} word the verdict, "" while there is none
 *  @param {string} mode */
function draw(root, word, mode) {
  for (const line of all(root, "[data-test-result]")) line.hidden = line.dataset.testResult !== word;
  for (const line of all(root, "[data-test-mode]")) line.hidden = line.dataset.testMode !== mode;
  for (const line of all(root, "[data-test-mend]")) {
    line.hidden = !line.dataset.testMend?.split(" ").includes(word);
  }
  maybe(root, "[data-test-start]")?.toggleAttribute("data-tested", word !== "");
}

/** @param {HTMLElement} root @param {string} selector @returns {HTMLElement[]} */
function all(root, selector) {
  return [...root.querySelectorAll(selector)].filter((each) => each instanceof HTMLElement);
}

/** @param {HTMLElement} root inside the visit's page @param {Measured} measured */
function keep(root, measured) {
  const page = /** @type {HTMLElement} */ (root.closest("[data-measured-url]"));
  const csrf = /** @type {HTMLInputElement} */ (one(page, "[name=csrfmiddlewaretoken]")).value;
  const body = new URLSearchParams(Object.entries(measured).map(([name, value]) => [name, `${value}`]));
  // Who is told how good the link is needs nothing more: the place does without this one.
  fetch(page.dataset.measuredUrl ?? "", {
    method: "POST",
    body,
    headers: { "X-CSRFToken": csrf },
    keepalive: true,
  }).catch(() => {});
}
