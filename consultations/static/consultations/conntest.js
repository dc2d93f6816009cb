/**
 * The connection test: this browser's picture and sound go to the media server and back, in a
 * session that reaches no room, and what arrives is judged in words. Sends `tested` (detail: the
 * Verdict) from `#connection-test`, and tells the server for the place where it was made. What the
 * service refuses says nothing of the network: it is shown in the service's words, and not kept.
 */

/**
 * What the server keeps of a test (`POST …/measured` in PROTOCOL.md); `expected_mode` is "" when
 * nothing came back.
 * @typedef {{verdict: string, expected_mode: string, kbit_up: number, kbit_down: number,
 *   round_trip_ms: number, loss: number}} Measured
 */

import { Call } from "./call.js";
import { after } from "./after.js";
import { detail } from "./events.js";
import { fitting } from "./ladder.js";
import { measure, sample, verdict } from "./quality.js";
import { Refused, Signal, askTicket } from "./signal.js";
import { one, word } from "./words.js";

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

/** @typedef {{open: boolean, words: string}} Service whether its socket is, and why it refused */

/**
 * The test can be asked for while a camera or microphone is on: without one nothing would be sent,
 * and nothing come back over the best of networks.
 * @param {HTMLElement} page the visit's @param {import("./check.js").DeviceCheck} check
 * @param {string} csrf
 */
export function offerTest(page, check, csrf) {
  const root = one(page, "#connection-test");
  const button = /** @type {HTMLButtonElement} */ (one(root, "[data-test-start]"));
  let running = false;
  const drawOffer = () => {
    const on = check.stream.getTracks().some((track) => track.readyState === "live");
    button.disabled = running || !on;
    one(root, "[data-test-off]").hidden = on;
    one(root, "[data-test-running]").hidden = !running;
  };
  button.addEventListener("click", async () => {
    drawOffer(); // what was on may have been plugged out
    if (button.disabled) return;
    running = true;
    drawOffer();
    await testConnection(root, () => askTicket(page.dataset.test ?? "", csrf), check.stream);
    running = false;
    drawOffer();
  });
  page.addEventListener("checked", drawOffer);
  drawOffer();
}

/**
 * @param {HTMLElement} root @param {() => Promise<import("./signal.js").Ticket>} ask for a ticket
 * @param {MediaStream} stream what the device check opened
 */
export async function testConnection(root, ask, stream) {
  draw(root, "", "");
  const signal = new Signal(ask);
  const call = new Call({ slots: { audio: 1, video: 1 } });
  const service = watched(signal);
  try {
    tell(root, await run(signal, call, stream, service));
  } catch (error) {
    const said = service.words || (error instanceof Refused ? error.message : "");
    one(root, "[data-test-words]").textContent = said || word("no-service");
    draw(root, "refused", "");
  } finally {
    signal.stop();
    call.close();
  }
}

/** @param {Signal} signal @returns {Service} */
function watched(signal) {
  const service = { open: false, words: "" };
  signal.addEventListener("link", (event) => (service.open = detail(event) === "open"));
  signal.addEventListener("full", (event) => (service.words = detail(event).message));
  signal.addEventListener("ended", (event) => (service.words = detail(event).refusal?.message ?? ""));
  return service;
}

/**
 * Rejects when the service refused, or did not let its socket be opened.
 * @param {Signal} signal @param {Call} call @param {MediaStream} stream @param {Service} service
 * @returns {Promise<Measured>}
 */
async function run(signal, call, stream, service) {
  const sdp = await call.prepare(stream);
  signal.start();
  const answer = await Promise.race([signal.change("offer", { sdp }), after(TEST_MS)]);
  if (!answer && service.open) return NOTHING;
  if (!answer) throw new Error("no welcome");
  await call.accept(answer.sdp, answer.ice_servers);
  await after(SETTLE_MS);
  const before = sample(await call.reports());
  await after(TEST_MS - SETTLE_MS);
  const later = sample(await call.reports());
  const pictured = stream.getVideoTracks().length > 0;
  return judged(measure(before, later), (later.availableUp ?? 0) / 1000, pictured);
}

/**
 * @param {import("./quality.js").Measure} found
 * @param {number} kbit what the browser thinks that it may send, held by the server to what it can
 *   send back; 0 where the browser does not tell
 * @param {boolean} pictured whether a camera is sent
 * @returns {Measured}
 */
function judged(found, kbit, pictured) {
  // A test in which nothing comes has found nothing good, whatever was sent.
  const heard = verdict(found, { video: pictured, audio: true });
  const carried = Math.min(found.kbitSent, found.kbitReceived);
  return {
    verdict: heard,
    expected_mode: expected(heard, Math.max(kbit, carried)),
    kbit_up: Math.round(found.kbitSent),
    kbit_down: Math.round(found.kbitReceived),
    round_trip_ms: Math.round(found.roundTrip * 1000),
    loss: found.loss,
  };
}

/** @param {string} heard the verdict @param {number} kbit */
function expected(heard, kbit) {
  if (heard === "lost") return "";
  return heard === "voice-only" ? "voice" : fitting(kbit * 1000);
}

/** @param {HTMLElement} root @param {Measured} measured */
function tell(root, measured) {
  root.dispatchEvent(new CustomEvent("tested", { detail: measured.verdict, bubbles: true }));
  keep(root, measured);
  draw(root, measured.verdict, measured.expected_mode);
}

/** @param {HTMLElement} root @param {string} result the verdict, or "refused"; "" while there is none
 *  @param {string} mode */
function draw(root, result, mode) {
  for (const line of all(root, "[data-test-result]")) line.hidden = line.dataset.testResult !== result;
  for (const line of all(root, "[data-test-mode]")) line.hidden = line.dataset.testMode !== mode;
  for (const line of all(root, "[data-test-mend]")) {
    line.hidden = !line.dataset.testMend?.split(" ").includes(result);
  }
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
