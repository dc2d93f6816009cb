/**
 * The connection test: this browser's picture and sound go to the media server and back, in a
 * session that reaches no room, and what arrives is judged in words. Sends `tested` (detail: the
 * Verdict) from `#connection-test`.
 */

import { Call } from "./call.js";
import { measure, sample, verdict } from "./quality.js";
import { Signal } from "./signal.js";
import { maybe, one } from "./words.js";

const TEST_MS = 8000;
const SETTLE_MS = 2000;

/**
 * @param {HTMLElement} root @param {() => Promise<import("./signal.js").Ticket>} askTicket
 * @param {MediaStream} stream what the device check opened; without it nothing can be tested
 */
export async function testConnection(root, askTicket, stream) {
  const button = /** @type {HTMLButtonElement} */ (one(root, "[data-test-start]"));
  button.disabled = true;
  one(root, "[data-test-running]").hidden = false;
  tell(root, "");
  const signal = new Signal(askTicket);
  const call = new Call({ slots: { audio: 1, video: 1 } });
  try {
    tell(root, await run(signal, call, stream));
  } catch {
    tell(root, "lost");
  } finally {
    signal.stop();
    call.close();
    one(root, "[data-test-running]").hidden = true;
    button.disabled = false;
  }
}

/** @param {Signal} signal @param {Call} call @param {MediaStream} stream */
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
  const now = sample(await call.reports());
  return verdict(measure(before, now), {
    video: stream.getVideoTracks().length > 0,
    audio: stream.getAudioTracks().length > 0,
  });
}

/** @param {HTMLElement} root @param {string} result "" while there is none */
function tell(root, result) {
  if (result) root.dispatchEvent(new CustomEvent("tested", { detail: result, bubbles: true }));
  for (const line of root.querySelectorAll("[data-test-result]")) {
    if (line instanceof HTMLElement) line.hidden = line.dataset.testResult !== result;
  }
  maybe(root, "[data-test-start]")?.toggleAttribute("data-tested", result !== "");
}

/** @param {number} ms @returns {Promise<void>} */
function after(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
