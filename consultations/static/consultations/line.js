/** The one line over the picture: what is going on, and what can be done about it. */

import { JUDGED_FRAMES } from "./quality.js";
import { word } from "./words.js";

/** @typedef {import("./signal.js").Snapshot} Snapshot */
/** @typedef {{label: string, does?: string, panel?: string, calls?: string}} Offer */
/** @typedef {{words: string, offer?: Offer}} Line */

/**
 * What the line is told from: `stopped` somebody here refused or took back, `open` the room's
 * socket, `reconnecting` the own media, `quality` a word of quality.js, `silent` the browser holds
 * the sound back, `pictured` the own camera is on, `identifying` the part in which the patient is
 * identified is open.
 * `sends` what the own camera sends (a mode of ladder.js), `chosen` how much of pictures this person
 * wants, `slow` the picture that comes is too slow to judge movement by.
 * @typedef {{stopped: boolean, open: boolean, reconnecting: boolean, quality: string,
 *   silent: boolean, pictured: boolean, identifying: boolean, sends: string, chosen: string,
 *   slow: boolean}} State
 */

/** @param {Snapshot | null} snapshot @param {State} state @returns {Line} */
export function lineOf(snapshot, state) {
  if (!snapshot?.people) return { words: "" };
  const words = trouble(snapshot, snapshot.people, state);
  if (words) return { words, offer: callOffer(snapshot, snapshot.people, state) };
  if (state.silent) return { words: "", offer: { label: word("tap-to-hear"), does: "hear" } };
  const thin = thinLine(snapshot, snapshot.people, state);
  if (thin) return thin;
  const specialist = snapshot.you.role === "specialist";
  if (specialist && !snapshot.visit?.identified && !state.identifying) {
    return { words: word("identify"), offer: { label: word("identify-offer"), panel: "more" } };
  }
  return { words: "" };
}

/** What the system does about a thin link, in one line, and one button that gives the voice all.
 * @param {Snapshot} snapshot @param {import("./signal.js").Person[]} people @param {State} state
 * @returns {Line | null} */
function thinLine({ you }, people, state) {
  if (state.chosen === "none") {
    return { words: word("chose-voice"), offer: { label: word("pictures-again"), does: "pictures" } };
  }
  const offer = { label: word("voice-only-offer"), does: "voice" };
  const theirs = people.filter((one) => one.id !== you.id).map((one) => one.sends);
  const unsure = state.slow || theirs.includes("slow") || theirs.includes("still");
  // What is seen decides before what is sent: a wrong judgement harms more.
  if (you.role === "specialist" && unsure) {
    return { words: word("not-judged", { frames: JUDGED_FRAMES }), offer };
  }
  if (state.pictured && ["slow", "still", "voice"].includes(state.sends)) {
    return { words: word(`mode-${state.sends}`), offer };
  }
  if (["poor", "voice-only"].includes(state.quality) && state.pictured) {
    return { words: word("weak"), offer };
  }
  return null;
}

/** Where media fail, whoever has the patient's number can telephone.
 * @param {Snapshot} snapshot @param {import("./signal.js").Person[]} people @param {State} state
 * @returns {Offer | undefined} */
function callOffer({ visit, you }, people, state) {
  if (!visit?.phone || you.role !== "specialist" || state.stopped) return undefined;
  const away = people.some((person) => person.id !== you.id && person.link === "reconnecting");
  if (!away && state.open && !state.reconnecting && state.quality !== "lost") return undefined;
  return { label: word("call-back", { phone: visit.phone }), calls: visit.phone };
}

/** @param {Snapshot} snapshot @param {import("./signal.js").Person[]} people @param {State} state */
function trouble(snapshot, people, state) {
  if (state.stopped) return word("stopped");
  if (!state.open) return word("away");
  if (state.reconnecting || state.quality === "lost") return word("lost");
  if (snapshot.you.waiting_elsewhere) return word("elsewhere");
  if (snapshot.room === "paused") return word("paused");
  if (snapshot.room === "interrupted") return word("interrupted");
  const others = people.filter((person) => person.id !== snapshot.you.id && !person.beside);
  const away = others.find((person) => person.link === "reconnecting");
  if (away) return word("reconnecting", { name: away.name });
  const patient = people.find((person) => person.role === "patient");
  if (patient && !snapshot.visit?.override && patient.consent !== "given") {
    return word("no-consent");
  }
  return others.length === 0 ? word("alone") : "";
}

/** @param {Offer} offer */
export function offerButton({ label, does = "", panel = "", calls = "" }) {
  const button = document.createElement(calls ? "a" : "button");
  if (button instanceof HTMLAnchorElement) button.href = `tel:${calls}`;
  else button.type = "button";
  button.className = "button";
  button.textContent = label;
  if (does) button.dataset.do = does;
  if (panel) button.dataset.panel = panel;
  return button;
}
