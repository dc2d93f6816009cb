/**
 * The way in: who else is at this end. What is said before there is a socket is kept in this tab
 * until the room has it, across a reload and a long wait.
 */

import { Refused } from "./signal.js";
import { one } from "./words.js";

const KEPT = "telemed.present";

/** @typedef {{person: string, name: string, capacity: string, on_camera: boolean}} Said */

/** @returns {Said[]} */
function kept() {
  try {
    const { at, said } = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
    return at === location.pathname ? said : [];
  } catch {
    return [];
  }
}

/** @param {Said[]} said */
function keep(said) {
  sessionStorage.setItem(KEPT, JSON.stringify({ at: location.pathname, said }));
}

/** @param {HTMLElement} root @param {() => void} goIn */
export function askWithWhom(root, goIn) {
  const form = /** @type {HTMLFormElement} */ (one(root, "[data-with-whom-form]"));
  one(root, "#go-in").addEventListener("click", () => {
    keep([]);
    goIn();
  });
  one(root, "[data-somebody]").addEventListener("click", () => {
    form.hidden = false;
    one(form, "[name=name]").focus();
  });
  one(form, "[data-another]").addEventListener("click", () => {
    if (form.reportValidity()) add(form);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add(form);
    goIn();
  });
}

/** @param {HTMLFormElement} form */
function add(form) {
  const data = new FormData(form);
  const said = {
    person: crypto.randomUUID(),
    name: String(data.get("name")),
    capacity: String(data.get("capacity")),
    on_camera: data.get("on_camera") !== null,
  };
  keep([...kept(), said]);
  const row = document.createElement("li");
  row.className = "row";
  row.textContent = `${said.name}, ${said.capacity}`;
  one(form, "[data-with-whom-list]").append(row);
  form.reset();
}

/** Tells the room; a guest by link is listened to only once let in. */
export class WithWhom {
  #telling = false;
  #refused = false;

  /** @param {boolean} inside @param {(type: string, fields: object) => Promise<any>} change */
  async tell(inside, change) {
    if (this.#telling || (this.#refused && !inside)) return;
    this.#telling = true;
    for (const each of kept()) {
      try {
        await change("declare", each);
      } catch (error) {
        this.#refused = true;
        if (error instanceof Refused && error.code !== "not_allowed") break;
      }
      keep(kept().filter((other) => other.person !== each.person));
    }
    this.#telling = false;
  }
}
