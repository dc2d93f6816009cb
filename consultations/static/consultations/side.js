/** The panel beside the picture: which of its parts is open, and how wide the picture is. */

import { maybe, one } from "./words.js";

/** Sends `open` (detail: the name of the part). */
export class Side extends EventTarget {
  /** The open part's name; "" while the panel is shut. */
  open = "";

  /** @param {HTMLElement} root */
  constructor(root) {
    super();
    this.root = root;
    this.#listenToDivider();
  }

  /** @param {string} name nothing happens when this person has no such part */
  show(name) {
    const panel = maybe(this.root, `#panel-${name}`);
    if (!panel) return;
    this.open = name;
    this.#hide(false);
    for (const other of this.root.querySelectorAll("#side > .panel")) {
      if (other instanceof HTMLElement) other.hidden = other !== panel;
    }
    for (const tab of this.root.querySelectorAll("#side [role=tab]")) {
      tab.setAttribute("aria-selected", String(tab.id === `tab-${name}`));
      if (tab.id === `tab-${name}`) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    this.dispatchEvent(new CustomEvent("open", { detail: name }));
  }

  shut() {
    this.open = "";
    this.#hide(true);
  }

  /** @param {boolean} hidden */
  #hide(hidden) {
    one(this.root, "#side").hidden = hidden;
    one(this.root, ".room-divider").hidden = hidden;
  }

  #listenToDivider() {
    const divider = one(this.root, ".room-divider");
    const room = one(this.root, "#call");
    let share = 0.6;
    /** @param {number} wanted share of the width for the picture */
    const split = (wanted) => {
      share = Math.min(0.8, Math.max(0.35, wanted));
      room.style.setProperty("--split", `${(share / (1 - share)) * 2}fr`);
      divider.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    };
    divider.addEventListener("pointerdown", (event) => divider.setPointerCapture(event.pointerId));
    divider.addEventListener("pointermove", (event) => {
      if (!divider.hasPointerCapture(event.pointerId)) return;
      const left = event.clientX / innerWidth;
      split(document.dir === "rtl" ? 1 - left : left);
    });
    divider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.03, ArrowRight: 0.03 }[event.key];
      if (step) split(share + (document.dir === "rtl" ? -step : step));
    });
  }
}
