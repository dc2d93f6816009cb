/**
 * A sharp picture over a poor link: the specialist asks for one, whoever is at the other end takes
 * it, sees it and agrees, and it is sent beside the voice. Draws what the snapshot says.
 */

import { announce } from "../telemed/js/announce.js";
import { detail } from "./events.js";
import { forgetAllBut, keep, kept } from "./shelf.js";
import { develop, press } from "./shot.js";
import { Upload } from "./upload.js";
import { copy, maybe, one, word } from "./words.js";

/** @typedef {import("./signal.js").Snapshot} Snapshot */
/** @typedef {import("./signal.js").Picture} Picture */
/** @typedef {import("./shot.js").Shot} Shot */

const ERROR_MS = 8000;
const OPEN = ["asked", "sending"];

/** @param {Picture} picture */
function named({ site, side }) {
  const part = word(`site-${site}`);
  return side === "none" ? part : `${part} · ${word(`side-${side}`)}`;
}

export class Shutter {
  /** @type {Picture[]} */ #pictures = [];
  #you = "";
  /** The first that waits to be taken. @type {Picture | null} */ #asked = null;
  /** @type {Shot | null} */ #shot = null;
  /** What the dialog says is being taken: everything done there is for it. */ #shown = "";
  /** For what a file is being chosen. @type {string | null} */ #choosing = null;
  /** @type {Set<string>} */ #opened = new Set();
  /** @type {Map<string, Upload>} */ #uploads = new Map();
  /** @type {Map<string, number>} how much of it has come, by picture */ #have = new Map();
  /** @type {Set<string>} */ #lost = new Set();
  /** @type {Set<string>} */ #done = new Set();
  /** @type {RTCDataChannel | null} */ #channel = null;
  #sending = false;
  #looked = false;

  /**
   * @param {HTMLElement} root @param {import("./signal.js").Signal} signal
   * @param {import("./media.js").Media} media @param {import("./own.js").Own} own
   */
  constructor(root, signal, media, own) {
    this.root = root;
    this.signal = signal;
    this.media = media;
    this.own = own;
    this.dialog = /** @type {HTMLDialogElement} */ (one(document, "#shutter"));
    this.strip = one(root, "[data-shutter-strip]");
    signal.addEventListener("snapshot", (event) => this.#take(detail(event)));
    signal.addEventListener("hint", (event) => this.#hint(detail(event)));
    media.addEventListener("channel", (event) => {
      this.#channel = detail(event);
      for (const upload of this.#uploads.values()) upload.use(detail(event));
    });
    this.#listen();
  }

  #listen() {
    for (const input of this.dialog.querySelectorAll("input[type=file]")) {
      input.addEventListener("click", () => (this.#choosing = this.#shown));
      input.addEventListener("change", () => void this.#chosen(/** @type {HTMLInputElement} */ (input)));
    }
    this.dialog.addEventListener("click", (event) => this.#clicked(event));
    this.strip.addEventListener("click", () => this.#show());
    this.dialog.addEventListener("close", () => this.#darken());
    const form = maybe(this.root, "[data-picture-form]");
    form?.addEventListener("submit", (event) => {
      event.preventDefault();
      const data = new FormData(/** @type {HTMLFormElement} */ (form));
      void this.#ask("picture_ask", Object.fromEntries(data));
    });
  }

  /** @param {Event} event */
  #clicked(event) {
    const target = /** @type {Element} */ (event.target).closest("[data-shutter]");
    const what = target instanceof HTMLElement ? target.dataset.shutter : "";
    if (what === "press") void this.#press();
    else if (what === "send") void this.#send();
    else if (what === "again") this.#step("take");
    else if (what === "refuse") {
      void this.#ask("picture_end", { picture: this.#shown });
      this.dialog.close();
    }
  }

  /** @param {Snapshot} snapshot */
  #take(snapshot) {
    const was = this.#pictures;
    this.#pictures = snapshot.pictures ?? [];
    this.#you = snapshot.you.id;
    if (!snapshot.people) return;
    for (const [id, upload] of this.#uploads) {
      if (this.#mine("sending").every((each) => each.id !== id)) this.#drop(id, upload);
    }
    void this.#resume();
    this.#tellArrivals(was);
    this.#drawAsking();
    this.#drawList(snapshot);
  }

  /** What was agreed to before a reload is sent on without a question. */
  async #resume() {
    const sending = this.#mine("sending");
    if (!this.#looked || this.#mine().length === 0) {
      this.#looked = true;
      void forgetAllBut(sending.map((each) => each.id));
    }
    for (const each of sending) {
      if (this.#sending || [this.#uploads, this.#lost, this.#done].some((ids) => ids.has(each.id))) continue;
      const bytes = await kept(each.id, each.sha256);
      if (this.#uploads.has(each.id)) continue;
      if (bytes) this.#upload(each.id, bytes);
      else this.#lost.add(each.id);
    }
    this.#drawAsking();
  }

  /** Of this person, by default what is open. @param {string[]} states */
  #mine(...states) {
    const wanted = states.length > 0 ? states : OPEN;
    return this.#pictures.filter((each) => each.participant === this.#you && wanted.includes(each.state));
  }

  /** @param {any} hint */
  #hint(hint) {
    if (hint.type !== "picture") return;
    this.#have.set(hint.picture, hint.have);
    const bar = maybe(this.root, `[data-id="${hint.picture}"] progress`);
    if (bar instanceof HTMLProgressElement) bar.value = hint.have;
  }

  // --- at the end that takes it

  /** The first that waits for this person: opened by itself once, then kept in a line. What is being
   * taken stays until it waits no more. */
  #drawAsking() {
    const waiting = this.#mine().filter((each) => each.state === "asked" || this.#lost.has(each.id));
    this.#asked = waiting[0] ?? null;
    const stays = this.dialog.open && waiting.some((each) => each.id === this.#shown);
    if (!stays && this.#asked && (this.dialog.open || !this.#opened.has(this.#asked.id))) {
      this.#show();
    } else if (!this.#asked && this.dialog.open) {
      this.dialog.close();
    }
    this.#drawStrip();
  }

  #show() {
    if (!this.#asked) return;
    this.#opened.add(this.#asked.id);
    one(this.dialog, "[data-shutter-what]").textContent = named(this.#asked);
    one(this.dialog, "[data-shutter-lost]").hidden = !this.#lost.has(this.#asked.id);
    if (this.#shown !== this.#asked.id) this.#shot = null;
    this.#shown = this.#asked.id;
    if (!this.dialog.open) this.dialog.showModal();
    this.#step(this.#shot ? "seen" : "take");
  }

  /** @param {"take" | "seen"} step */
  #step(step) {
    for (const part of this.dialog.querySelectorAll("[data-shutter-step]")) {
      if (part instanceof HTMLElement) part.hidden = part.dataset.shutterStep !== step;
    }
    one(this.dialog, "[data-shutter-trouble]").hidden = true;
    const track = step === "take" ? this.#camera() : null;
    const live = /** @type {HTMLVideoElement} */ (one(this.dialog, "[data-shutter-live]"));
    live.srcObject = track ? new MediaStream([track]) : null;
    for (const part of this.dialog.querySelectorAll("[data-shutter-camera]")) {
      part.toggleAttribute("hidden", !track);
    }
    if (step === "take") this.#forgetShot();
  }

  #darken() {
    const live = /** @type {HTMLVideoElement} */ (one(this.dialog, "[data-shutter-live]"));
    live.srcObject = null;
  }

  #forgetShot() {
    this.#shot = null;
    const image = /** @type {HTMLImageElement} */ (one(this.dialog, "[data-shutter-picture]"));
    if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
    image.removeAttribute("src");
  }

  /** @returns {MediaStreamTrack | null} */
  #camera() {
    const track = this.own.stream.getVideoTracks()[0];
    return track?.readyState === "live" && track.enabled ? track : null;
  }

  async #press() {
    const track = this.#camera();
    if (track) await this.#see(this.#shown, () => press(track), Date.now());
  }

  /** @param {HTMLInputElement} input */
  async #chosen(input) {
    const file = input.files?.[0];
    const id = this.#choosing ?? this.#shown;
    this.#choosing = null;
    input.value = "";
    if (file) await this.#see(id, async () => file, file.lastModified);
  }

  /** Developing takes seconds, choosing minutes: by then the dialog may ask for another picture, whose
   * name this one must not get. @param {string} id @param {() => Promise<Blob>} get @param {number} takenAt */
  async #see(id, get, takenAt) {
    this.dialog.toggleAttribute("aria-busy", true);
    try {
      const shot = await develop(await get(), takenAt);
      if (id !== this.#shown) return;
      this.#step("seen");
      this.#shot = shot;
      const image = /** @type {HTMLImageElement} */ (one(this.dialog, "[data-shutter-picture]"));
      image.src = URL.createObjectURL(new Blob([shot.bytes], { type: "image/jpeg" }));
      const size = (shot.bytes.byteLength / 1e6).toFixed(1);
      one(this.dialog, "[data-shutter-size]").textContent = word("picture-size", { size });
    } catch {
      if (id !== this.#shown) return;
      const trouble = one(this.dialog, "[data-shutter-trouble]");
      trouble.textContent = word("picture-unreadable");
      trouble.hidden = false;
    } finally {
      this.dialog.removeAttribute("aria-busy");
    }
  }

  /** Agreed to: from now on it leaves by itself. A second tap finds nothing to send. */
  async #send() {
    const [id, shot] = [this.#shown, this.#shot];
    if (!shot || this.#sending) return;
    this.#sending = true;
    const { bytes, sha256, width, height } = shot;
    const age = Math.max(0, Math.min(3e9, (Date.now() - shot.takenAt) / 1000));
    await keep({ id, sha256, bytes });
    const fields = { picture: id, bytes: bytes.byteLength, sha256, width, height, age };
    const stored = await this.#ask("picture_send", fields);
    this.#sending = false;
    if (!stored) return this.#drop(id);
    this.#lost.delete(id);
    this.#upload(id, bytes);
    if (id === this.#shown) {
      this.dialog.close();
      this.#forgetShot();
    }
    this.#drawAsking();
  }

  /** @param {string} id @param {ArrayBuffer} bytes */
  #upload(id, bytes) {
    this.#uploads.get(id)?.stop();
    const upload = new Upload(id, bytes, () => this.media.availableUp, (told) => this.#told(id, told));
    this.#uploads.set(id, upload);
    if (this.#channel?.readyState === "open") upload.use(this.#channel);
    this.#drawStrip();
  }

  /** @param {string} id @param {import("./upload.js").Told} told */
  #told(id, told) {
    this.#have.set(id, told.have);
    if (told.stored || told.refused) {
      announce(word(told.stored ? "picture-sent" : "picture-not-sent"), ERROR_MS);
      (told.stored ? this.#done : this.#lost).add(id);
      this.#drop(id, this.#uploads.get(id));
      this.#drawAsking();
    }
    this.#drawStrip(told.thin);
  }

  /** @param {string} id @param {Upload} [upload] */
  #drop(id, upload) {
    upload?.stop();
    this.#uploads.delete(id);
    const others = this.#mine("sending").filter((each) => each.id !== id);
    void forgetAllBut(others.map((each) => each.id));
  }

  /** @param {boolean} [thin] */
  #drawStrip(thin = false) {
    const [sending] = this.#uploads;
    this.strip.hidden = !sending && !this.#asked;
    one(this.strip, "button").hidden = !this.#asked;
    const bar = /** @type {HTMLProgressElement} */ (one(this.strip, "progress"));
    bar.hidden = !sending;
    if (sending) {
      const [id, upload] = sending;
      bar.max = upload.bytes.byteLength;
      bar.value = this.#have.get(id) ?? 0;
    }
    const key = sending ? (thin ? "picture-waits" : "picture-leaves") : "picture-asked";
    const words = one(this.strip, "[data-shutter-words]");
    if (words.textContent !== word(key)) words.textContent = word(key);
  }

  // --- at the end that asked for it

  /** @param {Picture[]} was */
  #tellArrivals(was) {
    const before = new Map(was.map((each) => [each.id, each.state]));
    for (const each of this.#pictures) {
      const changed = before.has(each.id) && before.get(each.id) !== each.state;
      const told = changed && each.participant !== this.#you && maybe(this.root, "[data-picture-list]");
      if (told && ["ready", "refused", "failed"].includes(each.state)) {
        announce(word(`picture-${each.state}`, { name: each.name, what: named(each) }));
      }
    }
  }

  /** @param {Snapshot} snapshot */
  #drawList(snapshot) {
    const list = maybe(this.root, "[data-picture-list]");
    if (!list) return;
    this.#drawWhom(snapshot);
    const known = new Map([...list.children].map((row) => [row.getAttribute("data-id"), row]));
    const newest = [...this.#pictures].reverse();
    list.replaceChildren(
      ...newest.map((each) => {
        const row = /** @type {HTMLElement} */ (known.get(each.id) ?? this.#newRow(each));
        this.#fill(row, each);
        return row;
      }),
    );
    for (const count of this.root.querySelectorAll("[data-picture-count]")) {
      const ready = newest.filter((each) => each.state === "ready").length;
      count.textContent = String(ready);
      count.toggleAttribute("hidden", ready === 0);
    }
  }

  /** Who has a device of their own and is not a guest of the visit. @param {Snapshot} snapshot */
  #drawWhom({ people = [] }) {
    const select = maybe(this.root, "[data-picture-form] [name=participant]");
    if (!(select instanceof HTMLSelectElement)) return;
    const roles = ["patient", "representative", "presenter"];
    const able = people.filter((each) => roles.includes(each.role) && !each.beside);
    const chosen = select.value;
    const key = able.map((each) => each.id).join();
    if (select.dataset.drawn === key) return;
    select.dataset.drawn = key;
    select.replaceChildren(...able.map((each) => new Option(each.name, each.id)));
    if (able.some((each) => each.id === chosen)) select.value = chosen;
    one(this.root, "[data-picture-form] button").toggleAttribute("disabled", able.length === 0);
    one(this.root, "[data-picture-whom]").hidden = able.length < 2;
  }

  /** @param {Picture} picture */
  #newRow(picture) {
    const row = copy("t-picture");
    row.dataset.id = picture.id;
    maybe(row, "button")?.addEventListener("click", () => void this.#ask("picture_end", { picture: picture.id }));
    return row;
  }

  /** @param {HTMLElement} row @param {Picture} picture */
  #fill(row, picture) {
    if (row.dataset.state === picture.state) return;
    row.dataset.state = picture.state;
    one(row, "[data-name]").textContent = named(picture);
    one(row, "[data-facts]").textContent = `${picture.name} · ${word(`picture-is-${picture.state}`)}`;
    maybe(row, "button")?.toggleAttribute("hidden", !OPEN.includes(picture.state));
    const bar = /** @type {HTMLProgressElement} */ (one(row, "progress"));
    bar.hidden = picture.state !== "sending";
    bar.max = picture.bytes || 1;
    bar.value = this.#have.get(picture.id) ?? 0;
    const link = /** @type {HTMLAnchorElement} */ (one(row, "a"));
    link.hidden = picture.url === null;
    if (picture.url === null) return;
    link.href = picture.url;
    const image = /** @type {HTMLImageElement} */ (one(link, "img"));
    image.src = picture.url;
    image.alt = named(picture);
  }

  // ---

  /** @param {string} type @param {object} fields @returns {Promise<boolean>} whether it was stored */
  async #ask(type, fields) {
    try {
      await this.signal.change(type, fields);
      return true;
    } catch (error) {
      if (error instanceof Error && error.message) announce(error.message, ERROR_MS);
      return false;
    }
  }

  /** Nothing is left of a picture in this browser. */
  end() {
    for (const [id, upload] of this.#uploads) this.#drop(id, upload);
    this.#forgetShot();
    void forgetAllBut([]);
  }
}
