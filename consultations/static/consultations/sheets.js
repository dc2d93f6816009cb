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
  put("phone", emergency.phone);
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
    one(phone, "[data-phone]").textContent = snapshot.visit.phone;
  }
}
