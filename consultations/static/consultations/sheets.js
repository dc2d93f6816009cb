/** Draws what a snapshot says of the visit itself: the emergency sheet, identification, the pause. */

import { maybe, one } from "./words.js";

/** @typedef {import("./signal.js").Snapshot} Snapshot */

/** Opens by itself when somebody declares an emergency. @param {Snapshot} snapshot
 *  @param {Snapshot | null} was */
export function drawEmergency(snapshot, was) {
  const emergency = snapshot.emergency;
  if (!emergency) return;
  const sheet = /** @type {HTMLDialogElement} */ (one(document, "#emergency"));
  /** @param {string} name @param {string} text */
  const put = (name, text) => {
    if (text) one(sheet, `[data-emergency-${name}]`).textContent = text;
  };
  put("place", emergency.place);
  one(sheet, "[data-emergency-place-unsure]").hidden = !emergency.place || emergency.place_confirmed;
  drawNumber(
    one(sheet, "[data-emergency-phone]"),
    one(sheet, "[data-emergency-phone-unsure]"),
    emergency.phone,
    emergency.phone_confirmed,
  );
  put("contact", emergency.contact);
  put("number", emergency.number);
  put("hospital", emergency.hospital);
  put("hospital-phone", emergency.hospital_phone);
  put("caller", emergency.calls_back);
  if (!was?.emergency && !sheet.open) sheet.showModal();
}

/** @param {HTMLElement} root @param {Snapshot} snapshot */
export function drawVisit(root, snapshot) {
  maybe(root, "[data-identify-form]")?.toggleAttribute(
    "hidden",
    Boolean(snapshot.visit?.identified),
  );
  const paused = snapshot.room === "paused";
  maybe(root, '[data-do="pause"]')?.toggleAttribute("hidden", paused);
  maybe(root, '[data-do="resume"]')?.toggleAttribute("hidden", !paused);
  const phone = maybe(document, "[data-finish-phone]");
  if (phone && snapshot.visit?.phone) {
    phone.hidden = false;
    drawNumber(
      one(phone, "[data-phone]"),
      one(phone, "[data-phone-unsure]"),
      snapshot.visit.phone,
      snapshot.visit.phone_confirmed,
    );
  }
}

/** A number to be called by one tap, and a word where nobody has confirmed it.
 * @param {HTMLElement} link @param {HTMLElement} unsure @param {string} number
 * @param {boolean} confirmed */
function drawNumber(link, unsure, number, confirmed) {
  if (!number) return;
  link.textContent = number;
  link.setAttribute("dir", "ltr");
  link.setAttribute("href", `tel:${number}`);
  unsure.hidden = confirmed;
}
