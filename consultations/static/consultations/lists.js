/** Draws the lists beside the picture: who waits, who is here, and the consents to be given. */

import { copy, maybe, one, word } from "./words.js";

/** @typedef {import("./signal.js").Person} Person */
/** @typedef {import("./signal.js").Waiting} Waiting */
/** @typedef {import("./signal.js").Carried} Carried */
/** @typedef {(act: string, id: string) => void} Act */

/** @param {string} role */
const roleWord = (role) => word(`role-${role}`);

/** @param {HTMLElement} root @param {string} id @param {Act} act */
function listenToActs(root, id, act) {
  for (const button of root.querySelectorAll("[data-act]")) {
    if (button instanceof HTMLElement && !button.dataset.bound) {
      button.dataset.bound = "yes";
      button.addEventListener("click", () => act(button.dataset.act ?? "", id));
    }
  }
}

/**
 * Rows that stay are kept, so that the keyboard's focus stays where it is.
 * @template {{id: string}} One
 * @param {HTMLElement} list @param {One[]} people @param {string} template
 * @param {Act} act @param {(row: HTMLElement, one: One) => void} fill
 */
function drawRows(list, people, template, act, fill) {
  const known = new Map([...list.children].map((row) => [row.getAttribute("data-id"), row]));
  const rows = people.map((one) => {
    const old = known.get(one.id);
    const row = old instanceof HTMLElement ? old : copy(template);
    row.dataset.id = one.id;
    fill(row, one);
    listenToActs(row, one.id, act);
    return row;
  });
  place(list, rows);
}

/**
 * What stays is not touched: a row that is moved loses the keyboard's focus.
 * @param {HTMLElement} list @param {HTMLElement[]} rows
 */
function place(list, rows) {
  for (const old of [...list.children]) if (!rows.some((row) => row === old)) old.remove();
  rows.forEach((row, at) => {
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
  });
}

/**
 * @param {HTMLElement} list @param {Waiting[]} waiting
 * @param {number} later seconds since the server counted @param {Act} act
 */
export function drawWaiting(list, waiting, later, act) {
  drawRows(list, waiting, "t-waiting", act, (row, person) => {
    one(row, "[data-name]").textContent = person.name;
    const facts = [
      roleWord(person.role),
      ...person.carries.map((name) => word("with", { name })),
      word("waited", { n: Math.floor((person.waited + later) / 60) }),
      person.verified ? "" : word("guest"),
      person.elsewhere ? word("other-device") : "",
      ["given", "not-needed"].includes(person.consent) ? "" : word("consent-missing"),
    ];
    const told = facts.filter(Boolean).join(" · ");
    const shown = one(row, "[data-facts]");
    if (shown.textContent !== told) shown.textContent = told;
  });
}

/** @param {HTMLElement} list @param {Person[]} people @param {string} you @param {Act} act */
export function drawPeople(list, people, you, act) {
  drawRows(list, people, "t-person", act, (row, person) => {
    one(row, "[data-name]").textContent = person.name;
    const beside = people.find((other) => other.id === person.beside);
    const facts = [
      person.id === you ? word("you") : roleWord(person.role),
      beside ? word("with", { name: beside.name }) : "",
      person.verified ? "" : word("guest"),
      ["given", "not-needed"].includes(person.consent) ? "" : word("consent-missing"),
    ];
    one(row, "[data-facts]").textContent = facts.filter(Boolean).join(" · ");
    const actions = maybe(row, ".row-actions");
    if (actions) actions.hidden = person.id === you || Boolean(person.beside);
    drawRows(one(row, "[data-present]"), person.present, "t-present", act, (item, other) => {
      const seen = word(other.on_camera ? "on-camera" : "off-camera");
      one(item, "[data-words]").textContent = `${other.name}, ${other.capacity} (${seen})`;
      one(item, "button").hidden = person.id !== you;
    });
  });
}

/**
 * A card for everybody of this device who has not decided, and a note for who refused. A card stays
 * as long as its decision does, with what is being written in it.
 * @param {HTMLElement} root @param {Carried[]} people
 * @param {(decision: string, participant: string, role: string) => void} decide
 */
export function drawConsents(root, people, decide) {
  const wanted = people.filter((person) => !["given", "not-needed"].includes(person.consent));
  const known = /** @type {HTMLElement[]} */ ([...root.children]);
  const cards = wanted.map((person) => {
    const { id, consent } = person;
    const old = known.find((card) => card.dataset.id === id && card.dataset.consent === consent);
    if (old) return old;
    const holder = document.createElement("div");
    holder.className = "stack";
    Object.assign(holder.dataset, { id, consent });
    const refused = consent === "refused" || consent === "withdrawn";
    ask(holder, refused ? copy("t-refused") : consentCard(person), person, decide);
    return holder;
  });
  place(root, cards);
  root.dataset.drawn = "yes";
}

/**
 * @param {HTMLElement} holder @param {HTMLElement} card @param {Carried} person
 * @param {(decision: string, participant: string, role: string) => void} decide
 */
function ask(holder, card, person, decide) {
  for (const button of card.querySelectorAll("[data-decide]")) {
    if (!(button instanceof HTMLElement)) continue;
    button.addEventListener("click", () => {
      const decision = button.dataset.decide ?? "";
      if (decision === "again") ask(holder, consentCard(person), person, decide);
      else decide(decision, person.id, person.role);
    });
  }
  holder.replaceChildren(card);
}

/** @param {Carried} person */
function consentCard(person) {
  const card = copy("t-consent");
  one(card, "[data-for]").textContent = person.name;
  one(card, "[data-text]").textContent = consentWords(person.role).text;
  const spoken = maybe(card, '[data-decide="spoken"]');
  if (spoken) spoken.hidden = person.role !== "patient";
  return card;
}

/** @param {string} role */
export function consentWords(role) {
  const shown = one(document, `#words [data-consent="${role === "patient" ? "patient" : "other"}"]`);
  const { version = "", sha256 = "", language = "", specialist = "" } = shown.dataset;
  return {
    text: (shown.textContent ?? "").replaceAll("{specialist}", specialist),
    stored: { text_version: version, text_sha256: sha256, language },
  };
}
