/**
 * The visit's page: before, waiting room, call and end, wired together. The protocol is in
 * signal.js, media in call.js, devices in devices.js; drawing in tiles.js, lists.js and chat.js.
 */

import { announce } from "../telemed/js/announce.js";
import { drawMessages, listenToForm } from "./chat.js";
import { DeviceCheck, remembered } from "./check.js";
import { offerTest } from "./conntest.js";
import { playTestTone } from "./devices.js";
import { detail } from "./events.js";
import { listenToForms } from "./forms.js";
import { lineOf, offerButton } from "./line.js";
import { consentWords, drawConsents, drawPeople, drawWaiting } from "./lists.js";
import { Media } from "./media.js";
import { Own } from "./own.js";
import { Pictures } from "./pictures.js";
import { RecordingPart } from "./recording.js";
import { Sending } from "./sending.js";
import { Signal, askTicket, codeOf } from "./signal.js";
import { drawEmergency, drawVisit } from "./sheets.js";
import { Shutter } from "./shutter.js";
import { Side } from "./side.js";
import { Stop } from "./stop.js";
import { consentSpoken } from "./spoken.js";
import { Stage } from "./tiles.js";
import { tellTroubles } from "./trouble.js";
import { drawWaitingRoom } from "./waiting.js";
import { WithWhom, askWithWhom } from "./withwhom.js";
import { maybe, one, word } from "./words.js";

/** @typedef {import("./signal.js").Snapshot} Snapshot */

const TICK_MS = 1000;
/** The queue moves while nothing of this room changes: who waits asks for their place. */
const LOOK_MS = 30_000;
const ERROR_MS = 8000;
const BESIDE = "(min-width: 60rem)";

class Visit {
  /** @type {Snapshot | null} */ snapshot = null;
  /** @type {Set<string>} */ waitingKnown = new Set();
  withWhom = new WithWhom();
  left = false;
  snapshotAt = 0;
  lookedAt = 0;
  unread = 0;
  linkState = "connecting";
  title = document.title;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.csrf = /** @type {HTMLInputElement} */ (one(root, "[name=csrfmiddlewaretoken]")).value;
    this.tellTrouble = tellTroubles(root, this.csrf);
    this.check = new DeviceCheck(one(root, "#device-check"));
    this.stage = new Stage(one(root, "#stage"));
    this.signal = this.newSignal();
    this.media = this.newMedia();
    this.own = this.newOwn();
    this.sending = new Sending(this.own, this.media, this.signal);
    this.pictures = new Pictures(root, this.sending, () => this.drawLine());
    this.side = new Side(root);
    this.side.addEventListener("open", () => this.drawUnread());
    this.stop = new Stop(
      (type, fields) => this.signal.change(type, fields),
      (on) => this.halt(on),
    );
    this.recording = new RecordingPart(root, (type, fields) => this.ask(type, fields));
    this.shutter = new Shutter(root, this.signal, this.media, this.own);
    this.listenToControls();
    setInterval(() => void this.tick(), TICK_MS);
  }

  // --- coming in

  async begin() {
    if (this.root.dataset.returning === "yes") {
      await this.check.open(remembered().camera);
      this.goIn();
    } else {
      this.show("before");
    }
  }

  goIn() {
    this.check.stop();
    this.own.take(this.check.stream);
    this.signal.start();
  }

  /** @returns {Own} */
  newOwn() {
    const own = new Own(this.root, this.stage, () => this.media.call);
    own.addEventListener("muted", (event) => this.ask("mute", detail(event)));
    own.addEventListener("trouble", (event) => announce(detail(event), ERROR_MS));
    own.addEventListener("changed", () => this.drawLine());
    return own;
  }

  newSignal() {
    const signal = new Signal(() => askTicket(this.root.dataset.ticket ?? "", this.csrf));
    signal.addEventListener("snapshot", (event) => this.take(detail(event)));
    signal.addEventListener("hint", (event) => this.hint(detail(event)));
    signal.addEventListener("link", (event) => {
      this.linkState = detail(event);
      if (this.linkState === "away" && this.snapshot === null) this.tellTrouble("network");
      this.drawLine();
    });
    signal.addEventListener("full", (event) => this.tellError(detail(event)));
    signal.addEventListener("ended", (event) => this.end(detail(event)));
    return signal;
  }

  /** @returns {Media} */
  newMedia() {
    const media = new Media(this.signal, () => [this.own.sending, this.own.screen]);
    media.addEventListener("slot", (event) => this.stage.addTrack(detail(event)));
    media.addEventListener("over", () => this.stage.forgetTracks());
    media.addEventListener("trouble", (event) => this.tellError(detail(event)));
    media.addEventListener("state", (event) => {
      this.root.dataset.call = detail(event);
      this.drawLine();
    });
    return media;
  }

  // --- what the room says

  /** @param {Snapshot} snapshot */
  take(snapshot) {
    const was = this.snapshot;
    this.snapshot = snapshot;
    this.snapshotAt = performance.now();
    void this.withWhom.tell(snapshot.people !== undefined, (type, fields) =>
      this.signal.change(type, fields),
    );
    if (snapshot.people) this.inside(snapshot, was);
    else this.outside(snapshot);
    this.drawConsents(snapshot);
    this.recording.take(snapshot.recording);
  }

  /** @param {Snapshot} snapshot @param {Snapshot | null} was */
  inside(snapshot, was) {
    this.show("call");
    const people = snapshot.people ?? [];
    this.stage.seat(people, snapshot.you.id);
    this.tellArrivals(people, was?.people);
    drawPeople(one(this.root, "[data-people]"), people, snapshot.you.id, (act, id) =>
      this.act(act, id),
    );
    this.drawWaiting(snapshot);
    this.drawMessages(snapshot);
    drawEmergency(snapshot, was);
    drawVisit(this.root, snapshot);
    this.drawLine();
    if (this.media.entered) return;
    this.own.takeMutes(people.find((person) => person.id === snapshot.you.id)?.muted ?? []);
    this.media.enter();
    if (this.side.open === "" && matchMedia(BESIDE).matches) this.side.show("visit");
  }

  /** @param {Snapshot} snapshot */
  outside(snapshot) {
    if (this.media.entered) this.media.hangUp();
    this.show("waiting");
    drawWaitingRoom(this.root, snapshot);
    this.media.prepare();
  }

  /** @param {any} hint */
  hint(hint) {
    if (hint.type === "slots") this.stage.map(hint.slots);
    else if (hint.type === "speaker") this.stage.speaks(hint.participant);
    else if (hint.type === "mode") this.takeMode(hint.participant, hint.mode);
    else if (hint.type === "layers") this.sending.ask(hint.sizes);
    else if (hint.type === "quality") this.media.serverLevel = hint.level;
    else if (hint.type === "link") {
      this.stage.link(hint.participant, hint.state);
      const person = this.snapshot?.people?.find((each) => each.id === hint.participant);
      if (person) person.link = hint.state;
      this.drawLine();
    }
  }

  /** @param {string} participant @param {string} mode */
  takeMode(participant, mode) {
    const person = this.snapshot?.people?.find((each) => each.id === participant);
    if (person) person.sends = mode;
    this.stage.sends(participant, mode);
    this.drawLine();
  }

  // --- every second

  async tick() {
    this.drawLine();
    if (this.snapshot?.waiting) this.drawWaitingList(this.snapshot.waiting);
    const waits = this.root.dataset.part === "waiting";
    if (waits && performance.now() - Math.max(this.snapshotAt, this.lookedAt) > LOOK_MS) {
      this.lookedAt = performance.now();
      this.signal.look();
    }
    const { expected } = this.stage;
    await this.media.tick({ ...expected, video: expected.video && this.sending.choice !== "none" });
    this.sending.tick();
    this.pictures.drawCost(this.media);
  }

  drawQuality() {
    const words = word(this.media.quality);
    const shown = one(this.root, "[data-quality]");
    if (shown.textContent !== words) shown.textContent = words;
  }

  /** The one line over the picture: what is going on, and what can be done about it. */
  drawLine() {
    const line = one(this.root, "#line");
    const { words, offer } = lineOf(this.snapshot, {
      stopped: this.stop.on,
      open: this.linkState === "open",
      reconnecting: this.media.reconnecting,
      quality: this.media.quality,
      silent: this.stage.needsTap,
      pictured: !this.own.muted.video,
      sends: this.sending.mode,
      chosen: this.sending.choice,
      slow: this.media.slow,
      identifying: this.side.open === "more",
    });
    const key = words + (offer?.label ?? "");
    if (line.dataset.words !== key) {
      line.dataset.words = key;
      line.replaceChildren(words);
      if (offer) line.append(offerButton(offer));
    }
    line.hidden = key === "";
    this.drawQuality();
  }

  // --- drawing what beside the picture stands

  /** @param {Snapshot} snapshot */
  drawConsents(snapshot) {
    const here = [snapshot.you, ...snapshot.you.carries];
    this.stop.take(here.map((person) => person.consent));
    const given = here.some((person) => person.consent === "given");
    maybe(this.root, ".control.stop")?.toggleAttribute("disabled", !given);
    drawConsents(one(this.root, "#consents"), here, (decision, participant, role) =>
      this.decide(decision, participant, role),
    );
  }

  /** @param {string} decision @param {string} participant @param {string} role */
  decide(decision, participant, role) {
    const spoken = decision === "spoken";
    const fields = {
      participant,
      decision: spoken ? "given" : decision,
      how: spoken ? "spoken" : "tapped",
      ...consentWords(role).stored,
    };
    if (decision === "refused") this.askStopped("consent", fields);
    else if (spoken) this.hearConsent(fields);
    else this.ask("consent", fields);
  }

  /** @param {{participant: string}} fields */
  hearConsent(fields) {
    void consentSpoken(
      (type, said) => this.signal.change(type, said),
      fields,
      one(this.root, `#consents [data-id="${fields.participant}"]`),
      (error) => this.tellError(error),
    );
  }

  /** @param {import("./signal.js").Waiting[]} waiting */
  drawWaitingList(waiting) {
    const list = maybe(this.root, "[data-waiting-list]");
    const later = (performance.now() - this.snapshotAt) / 1000;
    if (list) drawWaiting(list, waiting, later, (act, id) => this.act(act, id));
  }

  /** @param {Snapshot} snapshot */
  drawWaiting(snapshot) {
    if (!snapshot.waiting) return;
    this.drawWaitingList(snapshot.waiting);
    one(this.root, "[data-nobody-waits]").hidden = snapshot.waiting.length > 0;
    for (const count of this.root.querySelectorAll("[data-waiting-count]")) {
      count.textContent = String(snapshot.waiting.length);
      count.toggleAttribute("hidden", snapshot.waiting.length === 0);
    }
    const fresh = snapshot.waiting.filter((person) => !this.waitingKnown.has(person.id));
    this.waitingKnown = new Set(snapshot.waiting.map((person) => person.id));
    document.title = snapshot.waiting.length ? `(${snapshot.waiting.length}) ${this.title}` : this.title;
    for (const person of fresh) announce(word("waits", { name: person.name }));
    if (fresh.length > 0) {
      void playTestTone().catch(() => {});
      if (["", "visit"].includes(this.side.open)) this.side.show("waiting");
    } else if (snapshot.waiting.length === 0 && this.side.open === "waiting") this.side.show("visit");
    this.admitAsAsked(snapshot.waiting.map((person) => person.id));
  }

  /** "Admit" on the specialist's day is one tap: the address names whom, and is forgotten then.
   * @param {string[]} waiting */
  admitAsAsked(waiting) {
    const asked = location.hash.match(/^#admit=([\w-]+)$/)?.[1];
    if (!asked || !waiting.includes(asked)) return;
    history.replaceState(null, "", location.pathname);
    this.act("admit", asked);
  }

  /** @param {Snapshot} snapshot */
  drawMessages(snapshot) {
    const fresh = drawMessages(one(this.root, "[data-messages]"), snapshot.messages);
    this.unread += fresh;
    if (fresh) announce(snapshot.messages.at(-1)?.text ?? "");
    this.drawUnread();
  }

  drawUnread() {
    if (this.side.open === "chat") this.unread = 0;
    const count = one(this.root, "[data-chat-count]");
    count.textContent = String(this.unread);
    count.hidden = this.unread === 0;
  }

  /** @param {import("./signal.js").Person[]} people @param {import("./signal.js").Person[]} [was] */
  tellArrivals(people, was) {
    if (!was) return;
    const before = new Map(was.map((person) => [person.id, person]));
    for (const person of people) {
      if (!before.delete(person.id)) announce(word("came", { name: person.name }));
    }
    for (const person of before.values()) announce(word("went", { name: person.name }));
  }

  // --- what the person does

  listenToControls() {
    askWithWhom(this.root, () => this.goIn());
    one(this.root, "#come-back").addEventListener("click", () => location.reload());
    this.root.addEventListener("click", (event) => {
      const target = /** @type {Element} */ (event.target).closest("[data-do], [data-panel], [data-finish]");
      if (!(target instanceof HTMLElement)) return;
      if (target.dataset.do) void this.do(target.dataset.do);
      if (target.dataset.panel) this.side.show(target.dataset.panel);
      if (!target.dataset.finish) return;
      target.closest("dialog")?.close(); // where something is asked first, it stands behind it
      void this.ask("finish", { mode: target.dataset.finish });
    });
    for (const form of this.root.querySelectorAll("[data-chat-form], [data-waiting-form]")) {
      listenToForm(/** @type {HTMLFormElement} */ (form), (text) => this.write(text));
    }
    listenToForms(this.root, (type, fields, told) => this.ask(type, fields, told));
    offerTest(this.root, this.check, this.csrf);
  }

  /** @param {string} text */
  async write(text) {
    const stored = await this.ask("chat", { text, to: this.root.dataset.to || null });
    if (stored) this.writeTo("");
    return stored;
  }

  /** @param {string} id of one who waits; nobody: to everybody in the room */
  writeTo(id) {
    this.root.dataset.to = id;
    const name = this.snapshot?.waiting?.find((person) => person.id === id)?.name ?? "";
    const input = /** @type {HTMLInputElement} */ (one(this.root, "[data-chat-form] input"));
    input.placeholder = id ? word("write-to", { name }) : "";
    const readers = id ? word("readers-one", { name }) : word("readers-all");
    one(this.root, "[data-chat-readers]").textContent = readers;
    if (id) input.focus();
  }

  /** @param {string} type @param {object} [fields] @param {string} [told] a word said when stored
   *  @returns {Promise<boolean>} whether it was stored */
  async ask(type, fields = {}, told) {
    try {
      await this.signal.change(type, fields);
    } catch (error) {
      this.tellError(error);
      return false;
    }
    if (told) announce(word(told));
    return true;
  }

  /** @param {unknown} error */
  tellError(error) {
    const message = error instanceof Error ? error.message : String(error);
    if (codeOf(error) === "not_identified") this.side.show("more");
    if (message) announce(message, ERROR_MS);
  }

  /** @param {string} act @param {string} id */
  act(act, id) {
    if (act === "undeclare") this.ask(act, { person: id });
    else if (act === "write") {
      this.side.show("chat");
      this.writeTo(id);
    } else this.ask(act, { participant: id });
  }

  /** @param {string} what */
  async do(what) {
    if (what === "microphone") await this.own.toggle("audio");
    else if (what === "camera") await this.own.toggle("video");
    else if (what === "hear") await this.stage.tapped();
    else if (what === "screen") await this.own.toggleScreen();
    else if (what === "voice") this.pictures.choose("none");
    else if (what === "pictures") this.pictures.choose("all");
    else if (what === "leave") this.leave();
    else if (what === "close-side") this.side.shut();
    else if (what === "withdraw") this.withdraw();
    else if (what === "where") one(this.root, "[data-where]").classList.remove("said");
    else if (what === "fullscreen") await one(this.root, "#call").requestFullscreen?.();
    else if (what === "pip") await this.stage.first?.requestPictureInPicture?.();
    else if (what === "emergency") {
      this.ask(what);
      const sheet = /** @type {HTMLDialogElement} */ (one(document, "#emergency"));
      if (!sheet.open) sheet.showModal();
    } else this.ask(what);
  }

  withdraw() {
    const you = this.snapshot?.you;
    if (!you) return;
    for (const person of [you, ...you.carries]) {
      if (person.consent === "given") this.askStopped("withdraw", { participant: person.id });
    }
  }

  /** Here it stops at once, whatever the network does. @param {string} type @param {object} fields */
  askStopped(type, fields) {
    this.stop.ask(type, fields).catch((error) => this.tellError(error));
  }

  /** @param {boolean} on */
  halt(on) {
    this.own.halt(on);
    this.stage.cover(on);
    if (on && !matchMedia(BESIDE).matches) this.side.shut();
    this.drawLine();
  }

  leave() {
    this.left = true;
    this.signal.change("leave").finally(() => this.signal.stop());
    this.media.hangUp();
    this.end({ reason: "left" });
  }

  // --- showing and ending

  /** @param {"before" | "waiting" | "call" | "ended"} name */
  show(name) {
    for (const part of ["before", "waiting", "call", "ended"]) {
      one(this.root, `#${part}`).hidden = part !== name;
    }
    this.root.dataset.part = name;
    // Consents are asked for where the person is: one who is in may have to decide, too.
    // What is moved loses the keyboard's focus, so it is moved only when it has to be.
    const place = maybe(this.root, `[data-consents-of="${name}"]`);
    const consents = one(this.root, "#consents");
    if (place && consents.parentElement !== place) place.append(consents);
  }

  /** @param {{reason: string, refusal?: {code: string, message: string}}} ending */
  end({ reason, refusal }) {
    if (this.left && reason !== "left") return;
    if (reason === "changed") {
      location.reload();
      return;
    }
    this.media.hangUp();
    this.own.close();
    this.shutter.end();
    this.show("ended");
    for (const dialog of document.querySelectorAll("dialog[open]")) {
      /** @type {HTMLDialogElement} */ (dialog).close();
    }
    one(this.root, "[data-ended-title]").textContent = word(`ended-${reason}`);
    one(this.root, "[data-ended-words]").textContent =
      refusal?.message || word(`ended-${reason}-more`);
    one(this.root, "#come-back").hidden = reason === "finished" || reason === "removed";
    document.title = this.title;
  }
}

void new Visit(one(document, "#visit")).begin();
