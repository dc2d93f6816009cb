/** Draws the waiting room: whether one is expected, the place in the queue, what the doctor writes. */

import { announce } from "../telemed/js/announce.js";
import { drawMessages } from "./chat.js";
import { one, word } from "./words.js";

/** @param {HTMLElement} root @param {import("./signal.js").Snapshot} snapshot */
export function drawWaitingRoom(root, snapshot) {
  const denied = snapshot.you.state === "denied";
  one(root, "[data-queue]").hidden = denied;
  const asks = [snapshot.you, ...snapshot.you.carries].some((one) => one.consent === "none");
  one(root, "#waiting").classList.toggle("asking", asks && !denied);
  const here = snapshot.specialist_knows ? "knows" : "told";
  const title = denied ? "denied" : asks ? "ask" : here;
  one(root, "[data-waiting-title]").textContent = word(title);
  const { place = 1, minutes = 0 } = snapshot.queue ?? {};
  one(root, "[data-place]").textContent = place > 1 ? String(place) : "";
  one(root, "[data-place-words]").textContent = word(place > 1 ? "place-n" : "place-1");
  one(root, "[data-minutes]").textContent = word(minutes > 0 ? "minutes-n" : "minutes-0", {
    n: minutes,
  });
  one(root, "[data-waiting-chat]").hidden = snapshot.messages.length === 0;
  const fresh = drawMessages(one(root, "[data-waiting-messages]"), snapshot.messages);
  if (fresh) announce(snapshot.messages.at(-1)?.text ?? "");
}
