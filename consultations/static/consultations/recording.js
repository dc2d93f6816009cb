/**
 * Being recorded: the sign, the question to everybody, start and stop, and taking it back. Draws
 * what the snapshot says (PROTOCOL.md).
 */

import { announce } from "../telemed/js/announce.js";
import { copy, maybe, one, word } from "./words.js";

/** @typedef {import("./signal.js").Recording} Recording */
/** @typedef {import("./signal.js").Recorded} Recorded */
/** @typedef {(type: string, fields?: object) => void} Ask */

export class RecordingPart {
  /** @type {Recording | null} */ shown = null;
  /** @type {Set<string>} */ asked = new Set();
  /** @type {Set<string>} who has chosen here what becomes of what was recorded */ chosen = new Set();

  /** @param {HTMLElement} root @param {Ask} ask */
  constructor(root, ask) {
    this.root = root;
    this.ask = ask;
    this.panel = one(root, "[data-recording-panel]");
    this.panel.addEventListener("click", (event) => {
      const target = /** @type {Element} */ (event.target).closest("[data-record]");
      if (target instanceof HTMLElement) this.ask(`record_${target.dataset.record}`);
    });
  }

  /** @param {Recording | null | undefined} recording nothing for somebody who is not in */
  take(recording) {
    const was = this.shown;
    this.shown = recording ?? null;
    this.tell(was);
    this.panel.hidden = !recording?.offered && !recording?.on && !recording?.here.some((each) => each.taken);
    for (const sign of this.root.querySelectorAll("[data-recording-sign]")) {
      sign.toggleAttribute("hidden", !recording?.on);
    }
    if (recording) {
      this.drawPanel(recording);
      this.drawQuestion(recording);
      this.drawTakingBack(recording);
      this.drawTaken(recording, was);
    }
  }

  /** Said aloud, too: the sign alone is not heard. @param {Recording | null} was */
  tell(was) {
    const now = this.shown;
    if (now?.on && !was?.on) announce(word("recording-began"));
    if (was?.on && now && !now.on) announce(word(`recording-ended-${now.why ?? "stopped"}`));
  }

  /** @param {Recording} recording */
  drawPanel(recording) {
    const { panel } = this;
    const { on, asked, offered, missing, here } = recording;
    /** @param {string} name @param {boolean} wanted */
    const show = (name, wanted) => maybe(panel, `[data-record="${name}"]`)?.toggleAttribute("hidden", !wanted);
    show("ask", offered && !on && !asked && missing.length > 0);
    show("start", offered && !on && missing.length === 0);
    show("stop", on || asked);
    const open = here.some((each) => each.consent !== "given");
    one(panel, "[data-recording-answer]").hidden = on || !(asked && open);
    one(panel, "[data-recording-back]").hidden = !here.some((each) => each.consent === "given");
    one(panel, "[data-recording-taken]").hidden = leftBehind(recording).length === 0;
    const state = on ? "on" : asked ? "asked" : "off";
    const names = missing.join(", ");
    const lacking = asked && missing.length > 0 ? word("recording-missing", { names }) : "";
    one(panel, "[data-recording-words]").textContent = `${word(`recording-${state}`)} ${lacking}`.trim();
  }

  /** Opens by itself once for everybody of this device who has not decided. @param {Recording} recording */
  drawQuestion(recording) {
    const dialog = /** @type {HTMLDialogElement} */ (one(document, "#recording-ask"));
    const undecided = recording.here.filter((each) => each.consent !== "given");
    const cards = recording.asked ? undecided : [];
    one(dialog, "[data-recording-text]").textContent = recording.text?.words ?? "";
    drawCards(one(dialog, "[data-recording-cards]"), cards, "t-recorded", (card, each) => {
      const speaker = /** @type {HTMLSelectElement} */ (one(card, "select"));
      const names = each.speakers.map(({ id, name }) => new Option(word("recording-guardian", { name }), id));
      speaker.replaceChildren(new Option(each.name, ""), ...names);
      one(card, "[data-recording-speaker]").hidden = each.speakers.length === 0;
      listen(card, (decision) => this.decide(each, decision, speaker.value));
    });
    const fresh = cards.filter((each) => each.consent === "none" && !this.asked.has(each.id));
    for (const each of fresh) this.asked.add(each.id);
    if (!recording.asked) this.asked.clear();
    if (fresh.length > 0 && !dialog.open) dialog.showModal();
    if (cards.length === 0 || cards.every((each) => each.consent === "refused")) dialog.close();
  }

  /** @param {Recorded} each @param {string} decision @param {string} speaker */
  decide(each, decision, speaker) {
    const spoken = decision === "spoken";
    const { version = "", sha256 = "", language = "" } = this.shown?.text ?? {};
    this.ask("record_consent", {
      subject: each.id,
      decision: spoken ? "given" : decision,
      how: spoken ? "spoken" : "tapped",
      text_version: version,
      text_sha256: sha256,
      language,
      speaker: speaker || null,
    });
  }

  /** Whoever agreed may end it, and chooses what becomes of what was taken. @param {Recording} recording */
  drawTakingBack(recording) {
    const dialog = /** @type {HTMLDialogElement} */ (one(document, "#recording-back"));
    const agreed = recording.here.filter((each) => each.consent === "given");
    drawCards(one(dialog, "[data-recording-cards]"), agreed, "t-recording-back", (card, each) =>
      listen(card, (choice) => {
        this.chosen.add(each.id);
        this.ask("record_withdraw", { subject: each.id, keep: choice === "keep" });
        dialog.close();
      }),
    );
    if (agreed.length === 0) dialog.close();
  }

  /** Who took back all consent is asked, too, what becomes of what was recorded of them; whoever
   * kept it may think again. @param {Recording} recording @param {Recording | null} was */
  drawTaken(recording, was) {
    const dialog = /** @type {HTMLDialogElement} */ (one(document, "#recording-taken"));
    const left = leftBehind(recording);
    drawCards(one(dialog, "[data-recording-cards]"), left, "t-recording-taken", (card, each) =>
      listen(card, (choice) => {
        this.chosen.add(each.id);
        if (choice === "delete") this.ask("record_withdraw", { subject: each.id, keep: false });
        dialog.close();
      }),
    );
    const given = (was?.here ?? []).filter((each) => each.consent === "given").map((each) => each.id);
    const fresh = left.some((each) => given.includes(each.id) && !this.chosen.has(each.id));
    if (fresh && !dialog.open) dialog.showModal();
    if (left.length === 0) dialog.close();
  }
}

/** @param {Recording} recording */
function leftBehind(recording) {
  return recording.here.filter((each) => each.taken && each.consent !== "given");
}

/**
 * Cards that stay are kept, so that the focus stays where it is.
 * @param {HTMLElement} list @param {Recorded[]} people @param {string} template
 * @param {(card: HTMLElement, each: Recorded) => void} fill
 */
function drawCards(list, people, template, fill) {
  const key = people.map((each) => each.id + each.consent + each.speakers.map(({ id }) => id).join()).join("|");
  if (list.dataset.drawn === key) return;
  list.dataset.drawn = key;
  list.replaceChildren(
    ...people.map((each) => {
      const card = copy(template);
      one(card, "[data-for]").textContent = each.name;
      fill(card, each);
      return card;
    }),
  );
}

/** @param {HTMLElement} card @param {(choice: string) => void} chosen */
function listen(card, chosen) {
  for (const button of card.querySelectorAll("[data-choose]")) {
    if (button instanceof HTMLElement) {
      button.addEventListener("click", () => chosen(button.dataset.choose ?? ""));
    }
  }
}
