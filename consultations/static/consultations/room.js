/**
 * The visit's page: before, waiting room, call and end, wired together. The protocol is in
 * signal.js, media in call.js, devices in devices.js; drawing in tiles.js, lists.js and chat.js.
 */

import { announce } from "../telemed/js/announce.js";
import { Call } from "./call.js";
import { drawMessages, listenToForm } from "./chat.js";
import { DeviceCheck, remember, remembered } from "./check.js";
import { testConnection } from "./conntest.js";
import * as devices from "./devices.js";
import { consentWords, drawConsents, drawPeople, drawWaiting } from "./lists.js";
import { SteadyVerdict, measure, sample, verdict } from "./quality.js";
import { Signal, askTicket } from "./signal.js";
import { Stage } from "./tiles.js";
import { maybe, one, word } from "./words.js";

/** @typedef {import("./signal.js").Snapshot} Snapshot */

const TICK_MS = 1000;
const ERROR_MS = 8000;
const BESIDE = "(min-width: 60rem)";
/** From the best to the worst. */
const QUALITIES = ["good", "fair", "poor", "voice-only", "lost"];

/** @typedef {{label: string, does?: string, panel?: string}} Offer */

class Visit {
  /** @type {Snapshot | null} */ snapshot = null;
  /** @type {Call | null} */ call = null;
  /** @type {import("./quality.js").Sample | null} */ before = null;
  /** @type {Set<string>} */ waitingKnown = new Set();
  stream = new MediaStream();
  steady = new SteadyVerdict();
  muted = { audio: false, video: false };
  entered = false;
  left = false;
  snapshotAt = 0;
  unread = 0;
  linkState = "connecting";
  serverLevel = "good";
  title = document.title;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.csrf = /** @type {HTMLInputElement} */ (one(root, "[name=csrfmiddlewaretoken]")).value;
    this.check = new DeviceCheck(one(root, "#device-check"));
    this.stage = new Stage(one(root, "#stage"));
    this.signal = this.newSignal();
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
    this.stream = this.check.stream;
    this.stage.showOwn(this.stream);
    this.showMirror();
    this.watchDevices();
    this.signal.start();
  }

  /** One's own picture in the waiting room. */
  showMirror() {
    const mirror = /** @type {HTMLVideoElement} */ (one(this.root, "[data-own]"));
    const seen = this.stream.getVideoTracks().length > 0;
    mirror.srcObject = this.stream;
    mirror.hidden = !seen;
    one(this.root, "[data-own-voice]").hidden = seen;
  }

  newSignal() {
    const signal = new Signal(() => askTicket(this.root.dataset.ticket ?? "", this.csrf));
    signal.addEventListener("snapshot", (event) => this.take(detail(event)));
    signal.addEventListener("hint", (event) => this.hint(detail(event)));
    signal.addEventListener("link", (event) => {
      this.linkState = detail(event);
      this.drawLine();
    });
    signal.addEventListener("ended", (event) => this.end(detail(event)));
    return signal;
  }

  // --- what the room says

  /** @param {Snapshot} snapshot */
  take(snapshot) {
    const was = this.snapshot;
    this.snapshot = snapshot;
    this.snapshotAt = performance.now();
    if (snapshot.people) this.inside(snapshot, was);
    else this.outside(snapshot);
    this.drawConsents(snapshot);
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
    this.drawEmergency(snapshot, was);
    this.drawVisit(snapshot);
    this.drawLine();
    if (!this.entered) {
      this.entered = true;
      this.takeMutes(people.find((person) => person.id === snapshot.you.id)?.muted ?? []);
      void this.enter();
      if (this.panel === "" && matchMedia(BESIDE).matches) this.openPanel("visit");
    }
  }

  /** What was silent before a reload stays silent. @param {string[]} muted */
  takeMutes(muted) {
    for (const kind of /** @type {const} */ (["audio", "video"])) {
      const none = this.stream.getTracks().every((track) => track.kind !== kind);
      this.muted[kind] = none || muted.includes(kind);
      if (none && !muted.includes(kind)) this.ask("mute", { kind, muted: true });
      this.drawMute(kind);
    }
  }

  /** @param {Snapshot} snapshot */
  outside(snapshot) {
    if (this.entered) this.hangUp();
    this.show("waiting");
    const denied = snapshot.you.state === "denied";
    one(this.root, "[data-queue]").hidden = denied;
    const asks = [snapshot.you, ...snapshot.you.carries].some((one) => one.consent === "none");
    one(this.root, "#waiting").classList.toggle("asking", asks && !denied);
    const title = denied ? "denied" : asks ? "ask" : "knows";
    one(this.root, "[data-waiting-title]").textContent = word(title);
    const { place = 1, minutes = 0 } = snapshot.queue ?? {};
    one(this.root, "[data-place]").textContent = place > 1 ? String(place) : "";
    one(this.root, "[data-place-words]").textContent = word(place > 1 ? "place-n" : "place-1");
    one(this.root, "[data-minutes]").textContent = word(minutes > 0 ? "minutes-n" : "minutes-0", {
      n: minutes,
    });
    one(this.root, "[data-waiting-chat]").hidden = snapshot.messages.length === 0;
    const fresh = drawMessages(one(this.root, "[data-waiting-messages]"), snapshot.messages);
    if (fresh) announce(snapshot.messages.at(-1)?.text ?? "");
    this.prepare();
  }

  /** Devices and offer are ready before admission, so that it costs one round trip. */
  prepare() {
    if (this.call === null) {
      this.call = this.newCall();
      void this.call.prepare(this.stream);
    }
  }

  /** @param {any} hint */
  hint(hint) {
    if (hint.type === "slots") this.stage.map(hint.slots);
    else if (hint.type === "speaker") this.stage.speaks(hint.participant);
    else if (hint.type === "quality") this.serverLevel = hint.level;
    else if (hint.type === "link") {
      this.stage.link(hint.participant, hint.state);
      const person = this.snapshot?.people?.find((each) => each.id === hint.participant);
      if (person) person.link = hint.state;
      if (person && hint.state === "reconnecting" && person.id !== this.snapshot?.you.id) {
        announce(word("reconnecting", { name: person.name }));
      }
      this.drawLine();
    }
  }

  // --- media

  newCall() {
    const call = new Call({ slots: { audio: 5, video: 6 } });
    call.addEventListener("slot", (event) => this.stage.addTrack(detail(event)));
    call.addEventListener("needoffer", () => void this.negotiate(() => call.restart(), call));
    call.addEventListener("state", (event) => {
      this.root.dataset.call = detail(event);
      if (detail(event) === "closed" && call === this.call) this.rejoinMedia();
      this.drawLine();
    });
    return call;
  }

  async enter() {
    this.prepare();
    const call = this.call;
    if (call) await this.negotiate(() => call.offer(), call);
  }

  /** @param {() => Promise<string>} makeOffer @param {Call} call */
  async negotiate(makeOffer, call) {
    try {
      const answer = await this.signal.change("offer", { sdp: await makeOffer() });
      if (call === this.call) await call.accept(answer.sdp, answer.ice_servers);
    } catch (error) {
      if (call === this.call) this.tellError(error);
    }
  }

  /** The media server forgot this connection (it restarted, or we were away too long). */
  rejoinMedia() {
    this.hangUp();
    if (this.snapshot?.people) {
      this.entered = true;
      void this.enter();
    }
  }

  hangUp() {
    const call = this.call;
    this.call = null;
    this.entered = false;
    this.before = null;
    call?.close();
    this.stage.forgetTracks();
  }

  // --- every second

  async tick() {
    this.stage.tick(new Date().toLocaleTimeString("fr", { hour12: false }));
    this.drawLine();
    if (this.call?.state !== "connected") return;
    const now = sample(await this.call.reports());
    if (this.before && this.steady.take(verdict(measure(this.before, now), this.stage.expected))) {
      this.drawQuality();
    }
    this.before = now;
  }

  /** The worse of what this browser measures and what the server can send. */
  get quality() {
    if (this.call?.state !== "connected") return "connecting";
    const server = this.serverLevel === "audio-only" ? "voice-only" : this.serverLevel;
    return QUALITIES[Math.max(QUALITIES.indexOf(this.steady.current), QUALITIES.indexOf(server))];
  }

  drawQuality() {
    const words = word(this.quality ?? "good");
    const shown = one(this.root, "[data-quality]");
    if (shown.textContent !== words) shown.textContent = words;
  }

  /** The one line over the picture: what is going on, and what can be done about it. */
  drawLine() {
    const line = one(this.root, "#line");
    const { words, offer } = this.line();
    const key = words + (offer?.label ?? "");
    if (line.dataset.words !== key) {
      line.dataset.words = key;
      line.replaceChildren(words);
      if (offer) line.append(offerButton(offer));
    }
    line.hidden = key === "";
    this.drawQuality();
  }

  /** @returns {{words: string, offer?: Offer}} */
  line() {
    const snapshot = this.snapshot;
    if (!snapshot?.people) return { words: "" };
    const trouble = this.trouble(snapshot, snapshot.people);
    if (trouble) return { words: trouble };
    if (this.stage.needsTap) {
      return { words: "", offer: { label: word("tap-to-hear"), does: "hear" } };
    }
    if (["poor", "voice-only"].includes(this.quality ?? "") && !this.muted.video) {
      return { words: word("weak"), offer: { label: word("voice-only-offer"), does: "camera" } };
    }
    const specialist = snapshot.you.role === "specialist";
    if (specialist && !snapshot.visit?.identified && this.panel !== "more") {
      return { words: word("identify"), offer: { label: word("identify-offer"), panel: "more" } };
    }
    return { words: "" };
  }

  /** @param {Snapshot} snapshot @param {import("./signal.js").Person[]} people */
  trouble(snapshot, people) {
    if (this.linkState !== "open") return word("away");
    if (this.call?.state === "reconnecting" || this.quality === "lost") return word("lost");
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

  // --- drawing what beside the picture stands

  /** @param {Snapshot} snapshot */
  drawConsents(snapshot) {
    const here = [snapshot.you, ...snapshot.you.carries];
    drawConsents(one(this.root, "#consents"), here, (decision, participant, role) =>
      this.decide(decision, participant, role),
    );
  }

  /** @param {string} decision @param {string} participant @param {string} role */
  decide(decision, participant, role) {
    const spoken = decision === "spoken";
    this.ask("consent", {
      participant,
      decision: spoken ? "given" : decision,
      how: spoken ? "spoken" : "tapped",
      ...consentWords(role).stored,
    });
  }

  /** @param {Snapshot} snapshot */
  drawWaiting(snapshot) {
    const list = maybe(this.root, "[data-waiting-list]");
    if (!list || !snapshot.waiting) return;
    const later = (performance.now() - this.snapshotAt) / 1000;
    drawWaiting(list, snapshot.waiting, later, (act, id) => this.act(act, id));
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
      void devices.playTestTone().catch(() => {});
      if (["", "visit"].includes(this.panel)) this.openPanel("waiting");
    } else if (snapshot.waiting.length === 0 && this.panel === "waiting") this.openPanel("visit");
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
    if (this.panel === "chat") this.unread = 0;
    else this.unread += fresh;
    if (fresh) announce(snapshot.messages.at(-1)?.text ?? "");
    const count = one(this.root, "[data-chat-count]");
    count.textContent = String(this.unread);
    count.hidden = this.unread === 0;
  }

  /** @param {Snapshot} snapshot @param {Snapshot | null} was */
  drawEmergency(snapshot, was) {
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

  /** @param {Snapshot} snapshot */
  drawVisit(snapshot) {
    const form = maybe(this.root, "[data-identify-form]");
    if (form) form.hidden = Boolean(snapshot.visit?.identified);
    const paused = snapshot.room === "paused";
    maybe(this.root, '[data-do="pause"]')?.toggleAttribute("hidden", paused);
    maybe(this.root, '[data-do="resume"]')?.toggleAttribute("hidden", !paused);
    const phone = maybe(document, "[data-finish-phone]");
    if (phone && snapshot.visit?.phone) {
      phone.hidden = false;
      one(phone, "[data-phone]").textContent = snapshot.visit.phone;
    }
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
    one(this.root, "#go-in").addEventListener("click", () => this.goIn());
    one(this.root, "#come-back").addEventListener("click", () => location.reload());
    this.root.addEventListener("click", (event) => {
      const target = /** @type {Element} */ (event.target).closest("[data-do], [data-panel], [data-finish]");
      if (!(target instanceof HTMLElement)) return;
      if (target.dataset.do) void this.do(target.dataset.do);
      if (target.dataset.panel) this.openPanel(target.dataset.panel);
      if (target.dataset.finish) this.ask("finish", { mode: target.dataset.finish });
    });
    this.listenToForms();
    for (const select of this.root.querySelectorAll("[data-device]")) {
      select.addEventListener("change", (event) => void this.chooseDevice(event));
    }
    one(this.root, "[data-test-start]").addEventListener("click", () =>
      testConnection(
        one(this.root, "#connection-test"),
        () => askTicket(this.root.dataset.test ?? "", this.csrf),
        this.check.stream,
      ),
    );
    this.listenToDivider();
  }

  listenToForms() {
    const chat = /** @type {HTMLFormElement} */ (one(this.root, "[data-chat-form]"));
    listenToForm(chat, (text) => this.write(text));
    const waiting = /** @type {HTMLFormElement} */ (one(this.root, "[data-waiting-form]"));
    listenToForm(waiting, (text) => this.write(text));
    this.onForm("[data-identify-form]", (data) =>
      this.ask("identify", { how: data.get("how") }, "visit-began"),
    );
    this.onForm("[data-override-form]", (data) => this.ask("override", { reason: data.get("reason") }));
    this.onForm("[data-place-form]", (data) =>
      this.ask("place", {
        place: data.get("place"),
        phone: data.get("phone"),
        contact: data.get("contact"),
      }, "saved"),
    );
    this.onForm("[data-declare-form]", (data, form) => {
      this.ask("declare", {
        person: crypto.randomUUID(),
        name: data.get("name"),
        capacity: data.get("capacity"),
        on_camera: data.get("on_camera") !== null,
      });
      form.reset();
    });
  }

  /** @param {string} selector @param {(data: FormData, form: HTMLFormElement) => void} work */
  onForm(selector, work) {
    const form = this.root.querySelector(selector);
    if (!(form instanceof HTMLFormElement)) return;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      work(new FormData(form), form);
    });
  }

  /** @param {string} text */
  async write(text) {
    const to = this.root.dataset.to || null;
    await this.signal.change("chat", { text, to });
    this.writeTo("");
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

  /** @param {string} type @param {object} [fields] @param {string} [told] a word said when stored */
  ask(type, fields = {}, told) {
    this.signal.change(type, fields).then(
      () => told && announce(word(told)),
      (error) => this.tellError(error),
    );
  }

  /** @param {unknown} error */
  tellError(error) {
    const message = error instanceof Error ? error.message : String(error);
    if (message) announce(message, ERROR_MS);
  }

  /** @param {string} act @param {string} id */
  act(act, id) {
    if (act === "undeclare") this.ask(act, { person: id });
    else if (act === "write") {
      this.openPanel("chat");
      this.writeTo(id);
    } else this.ask(act, { participant: id });
  }

  /** @param {string} what */
  async do(what) {
    if (what === "microphone") await this.toggle("audio");
    else if (what === "camera") await this.toggle("video");
    else if (what === "hear") await this.stage.tapped();
    else if (what === "screen") await this.shareScreen();
    else if (what === "leave") this.leave();
    else if (what === "close-side") this.closeSide();
    else if (what === "withdraw") this.withdraw();
    else if (what === "fullscreen") await one(this.root, "#call").requestFullscreen?.();
    else if (what === "pip") await this.stage.first?.requestPictureInPicture?.();
    else if (what === "emergency") {
      this.ask(what);
      const sheet = /** @type {HTMLDialogElement} */ (one(document, "#emergency"));
      if (!sheet.open) sheet.showModal();
    } else this.ask(what);
  }

  /** @param {"audio" | "video"} kind */
  async toggle(kind) {
    const muted = (this.muted[kind] = !this.muted[kind]);
    const missing = this.stream.getTracks().every((track) => track.kind !== kind);
    if (!muted && missing) {
      await this.openDevices({ camera: kind === "video" || !this.muted.video });
    }
    this.drawMute(kind);
    const [off, on] = kind === "audio" ? ["muted", "unmuted"] : ["camera-off", "camera-on"];
    announce(word(muted ? off : on));
    this.ask("mute", { kind, muted });
  }

  /** @param {"audio" | "video"} kind */
  drawMute(kind) {
    const muted = this.muted[kind];
    for (const track of this.stream.getTracks()) if (track.kind === kind) track.enabled = !muted;
    const button = kind === "audio" ? "microphone" : "camera";
    one(this.root, `.room-bar [data-do="${button}"]`).setAttribute("aria-pressed", String(muted));
    this.drawLine();
  }

  async shareScreen() {
    const button = one(this.root, '[data-do="screen"]');
    if (this.screen) {
      this.stopScreen();
      return;
    }
    const track = await devices.openScreen();
    if (!track) return;
    this.screen = track;
    track.addEventListener("ended", () => this.stopScreen());
    await this.call?.setScreen(track);
    button.setAttribute("aria-pressed", "true");
    this.ask("mute", { kind: "screen", muted: false });
  }

  /** @type {MediaStreamTrack | null} */ screen = null;

  stopScreen() {
    this.screen?.stop();
    this.screen = null;
    void this.call?.setScreen(null);
    one(this.root, '[data-do="screen"]').setAttribute("aria-pressed", "false");
    this.ask("mute", { kind: "screen", muted: true });
  }

  /** Taking back stops the own picture here at once, whatever the network does. */
  withdraw() {
    const you = this.snapshot?.you;
    if (!you) return;
    for (const person of [you, ...you.carries]) {
      if (person.consent === "given") this.ask("withdraw", { participant: person.id });
    }
  }

  leave() {
    this.left = true;
    this.signal.change("leave").finally(() => this.signal.stop());
    this.hangUp();
    this.end({ reason: "left" });
  }

  // --- devices in mid-call

  watchDevices() {
    for (const track of this.stream.getTracks()) {
      track.addEventListener("ended", () => this.tellError(new Error(word("device-lost"))));
    }
    navigator.mediaDevices?.addEventListener?.("devicechange", () => void this.fillDevices());
    void this.fillDevices();
    const screen = maybe(this.root, '[data-do="screen"]');
    if (screen) screen.hidden = !devices.canShareScreen();
  }

  async fillDevices() {
    const found = await devices.list();
    const chosen = remembered();
    fill(one(this.root, "#call-microphone"), found.microphones, chosen.microphoneId);
    fill(one(this.root, "#call-camera"), found.cameras, chosen.cameraId);
    fill(one(this.root, "#call-speaker"), found.speakers, chosen.speakerId);
    one(this.root, "[data-speaker-field]").hidden =
      !devices.canChooseSpeaker() || found.speakers.length === 0;
  }

  /** @param {Event} event */
  async chooseDevice(event) {
    const select = /** @type {HTMLSelectElement} */ (event.target);
    const kind = select.dataset.device ?? "";
    remember({ [`${kind}Id`]: select.value });
    if (kind === "speaker") {
      await this.stage.speakTo(select.value);
      return;
    }
    await this.openDevices({ camera: remembered().camera });
  }

  /** In mid-call: other devices, or a camera after all. @param {{camera: boolean}} wanted */
  async openDevices({ camera }) {
    const { cameraId, microphoneId } = remembered();
    const opened = await devices.open({ camera, microphone: true, cameraId, microphoneId });
    devices.close(this.stream);
    this.stream = opened.stream;
    remember({ camera });
    for (const track of this.stream.getTracks()) {
      track.enabled = !this.muted[/** @type {"audio" | "video"} */ (track.kind)];
    }
    this.stage.showOwn(this.stream);
    this.showMirror();
    await this.call?.setMicrophone(this.stream.getAudioTracks()[0] ?? null);
    await this.call?.setCamera(this.stream.getVideoTracks()[0] ?? null);
  }

  // --- the panel beside the picture

  panel = "";

  /** @param {string} name */
  openPanel(name) {
    const panel = maybe(this.root, `#panel-${name}`);
    if (!panel) return;
    this.panel = name;
    one(this.root, "#side").hidden = false;
    one(this.root, ".room-divider").hidden = false;
    for (const other of this.root.querySelectorAll("#side > .panel")) {
      if (other instanceof HTMLElement) other.hidden = other !== panel;
    }
    for (const tab of this.root.querySelectorAll("#side [role=tab]")) {
      tab.setAttribute("aria-selected", String(tab.id === `tab-${name}`));
      if (tab.id === `tab-${name}`) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    if (name === "chat") {
      this.unread = 0;
      one(this.root, "[data-chat-count]").hidden = true;
    }
  }

  closeSide() {
    this.panel = "";
    one(this.root, "#side").hidden = true;
    one(this.root, ".room-divider").hidden = true;
  }

  listenToDivider() {
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

  // --- showing and ending

  /** @param {"before" | "waiting" | "call" | "ended"} name */
  show(name) {
    for (const part of ["before", "waiting", "call", "ended"]) {
      one(this.root, `#${part}`).hidden = part !== name;
    }
    this.root.dataset.part = name;
    // Consents are asked for where the person is: one who is in may have to decide, too.
    maybe(this.root, `[data-consents-of="${name}"]`)?.append(one(this.root, "#consents"));
  }

  /** @param {{reason: string, refusal?: {code: string, message: string}}} ending */
  end({ reason, refusal }) {
    if (this.left && reason !== "left") return;
    if (reason === "changed") {
      location.reload();
      return;
    }
    this.hangUp();
    devices.close(this.stream);
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

/** @param {Offer} offer */
function offerButton({ label, does = "", panel = "" }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button primary";
  button.textContent = label;
  if (does) button.dataset.do = does;
  if (panel) button.dataset.panel = panel;
  return button;
}

/** @param {Event} event */
function detail(event) {
  return /** @type {CustomEvent} */ (event).detail;
}

/** @param {HTMLElement} select @param {MediaDeviceInfo[]} infos @param {string | undefined} chosen */
function fill(select, infos, chosen) {
  select.replaceChildren(
    ...infos.map((info) => new Option(info.label, info.deviceId, false, info.deviceId === chosen)),
  );
}

void new Visit(one(document, "#visit")).begin();
