/**
 * What this person sends: the open devices, what is silent, the shared screen. Draws the own
 * picture and the buttons; the call takes its tracks from here.
 */

import { announce } from "../telemed/js/announce.js";
import { after } from "./after.js";
import { remember, remembered } from "./check.js";
import * as devices from "./devices.js";
import { Still } from "./still.js";
import { maybe, one, word } from "./words.js";

/** @type {Record<"full" | "small" | "slow" | "still", import("./call.js").CameraShape>} */
const SHAPES = {
  full: { maxBitrate: 1_500_000, maxFramerate: 30, scaleResolutionDownBy: 1 },
  small: { maxBitrate: 300_000, maxFramerate: 20, scaleResolutionDownBy: 2 },
  slow: { maxBitrate: 70_000, maxFramerate: 12, scaleResolutionDownBy: 3 },
  still: { maxBitrate: 40_000, maxFramerate: 5, scaleResolutionDownBy: 1 },
};

/** How long a camera is sent both ways when it changes to several sizes or back: until those who see
 * it have a key frame. */
const OVERLAP_MS = 500;

/** Bits a second by which a large picture comes to what it may take. */
const RISING = [450_000, 600_000, 800_000, 1_100_000];
const RISING_MS = 1500;
/** @type {RTCDegradationPreference} */
const KEEP_SIZE = "maintain-resolution";
/** A device that stops within this time of its opening is not opened again by itself. */
const STEADY_MS = 5000;

/** @typedef {"audio" | "video"} Kind */
/** @typedef {import("./call.js").Call} Call */

/**
 * Sends `muted` (detail: {kind, muted}) for the room to be told, `changed` when something was
 * drawn anew, `trouble` (detail: words) when a device stopped.
 */
export class Own extends EventTarget {
  stream = new MediaStream();
  /** @type {Record<Kind, boolean>} */ muted = { audio: false, video: false };
  /** @type {MediaStreamTrack | null} */ #screen = null;
  #halted = false;
  /** @type {import("./ladder.js").Mode} */ #mode = "small";
  #turn = 0;
  /** @type {Still | null} */ #still = null;
  /** @type {Record<string, number>} bits a second by size; none while one stream does */ #sizes = {};
  #wasLayered = false;
  #reopened = Promise.resolve();

  /**
   * @param {HTMLElement} root @param {import("./tiles.js").Stage} stage
   * @param {() => Call | null} call the present one
   */
  constructor(root, stage, call) {
    super();
    this.root = root;
    this.stage = stage;
    this.call = call;
    for (const select of root.querySelectorAll("[data-device]")) {
      select.addEventListener("change", (event) => void this.#choose(event));
    }
  }

  /** @param {MediaStream} stream what the device check opened */
  take(stream) {
    this.stream = stream;
    this.#watch(stream);
    this.#show();
    navigator.mediaDevices?.addEventListener?.("devicechange", () => void this.#fill());
    void this.#fill();
    const screen = maybe(this.root, '[data-do="screen"]');
    if (screen) screen.hidden = !devices.canShareScreen();
  }

  close() {
    devices.close(this.stream);
    this.stream = new MediaStream();
  }

  /** @param {MediaStream} opened */
  #watch(opened) {
    const since = performance.now();
    const lost = () => {
      if (performance.now() - since < STEADY_MS) this.#tell("trouble", word("device-lost"));
      // A call that is closed meanwhile takes nothing more; the next one takes what is open then.
      else this.#reopened = this.#reopened.then(() => this.#reopen()).catch(() => {});
    };
    for (const track of opened.getTracks()) track.addEventListener("ended", lost);
  }

  /** What was taken away, by a telephone call for one, is opened again, as soon as the page is seen. */
  async #reopen() {
    await seen();
    const { stream } = this;
    const ended = stream.getTracks().filter((track) => track.readyState === "ended");
    if (ended.length === 0) return;
    const { cameraId, microphoneId } = remembered();
    const camera = ended.some(({ kind }) => kind === "video");
    const microphone = ended.some(({ kind }) => kind === "audio");
    const opened = await devices.open({ camera, microphone, cameraId, microphoneId });
    if (stream !== this.stream) {
      devices.close(opened.stream); // others were chosen meanwhile, or the visit is over
      return;
    }
    const fresh = opened.stream.getTracks();
    if (fresh.length < ended.length) this.#tell("trouble", word("device-lost"));
    this.#watch(opened.stream);
    const live = stream.getTracks().filter((track) => !ended.includes(track));
    if (fresh.length > 0) await this.#use(new MediaStream([...live, ...fresh]));
  }

  /** What the call may take from here. @returns {MediaStream} */
  get sending() {
    if (this.#halted) return new MediaStream();
    const camera = this.#mode === "voice" ? null : (this.#still?.track ?? this.#camera);
    return new MediaStream([...this.stream.getAudioTracks(), ...(camera ? [camera] : [])]);
  }

  /** What is shared, beside that. */
  get screen() {
    return this.#screen;
  }

  get #camera() {
    return this.stream.getVideoTracks()[0] ?? null;
  }

  /** What the camera sends from now on. @param {import("./ladder.js").Mode} mode */
  async setMode(mode) {
    this.#mode = mode;
    const turn = ++this.#turn;
    this.#takeStills();
    await this.#send();
    if (turn !== this.#turn) return;
    if (mode === "full") await this.#rise(turn);
    else if (mode !== "voice") await this.call()?.shapeCamera(SHAPES[mode]);
  }

  /** A larger picture begins with a key frame. Large at once, it fills the way out, which a browser
   * takes for less than it had; and what it shrinks meanwhile it leaves so.
   * @param {number} turn of the mode, which another one ends */
  async #rise(turn) {
    const call = this.call();
    for (const maxBitrate of RISING) {
      const shape = { ...SHAPES.full, maxBitrate, degradationPreference: KEEP_SIZE };
      await call?.shapeCamera(shape);
      await after(RISING_MS);
      if (turn !== this.#turn || this.call() !== call) return;
    }
    await call?.shapeCamera(SHAPES.full);
  }

  /** Lets the camera take what the best picture might, or no more than is usual again.
   * @param {boolean} trying */
  async tryOut(trying) {
    if (this.#mode === "voice") return;
    const { maxBitrate } = trying ? SHAPES.full : SHAPES[this.#mode];
    await this.call()?.shapeCamera({ ...SHAPES[this.#mode], maxBitrate });
  }

  /** In which sizes the camera is sent from now on. @param {Record<string, number>} sizes */
  async setSizes(sizes) {
    this.#sizes = sizes;
    await this.#send();
  }

  /** Anew from the present camera, where stills are what is sent. */
  #takeStills() {
    this.#still?.stop();
    this.#still = this.#mode === "still" && this.#camera ? new Still(this.#camera) : null;
  }

  /** Nothing leaves this browser until it is let on again. @param {boolean} halted */
  halt(halted) {
    this.#halted = halted;
    for (const kind of /** @type {const} */ (["audio", "video"])) this.#enable(kind);
    if (halted && this.#screen) this.#stopScreen();
    void this.#send();
  }

  async #send() {
    const { sending } = this;
    const call = this.call();
    const camera = sending.getVideoTracks()[0] ?? null;
    await call?.setMicrophone(sending.getAudioTracks()[0] ?? null);
    if (this.#isLayered) await call?.setLayers(camera, this.#sizes);
    else await call?.setCamera(camera);
    if (call && camera && this.#isLayered !== this.#wasLayered) await after(OVERLAP_MS);
    this.#wasLayered = this.#isLayered;
    if (this.#isLayered) await call?.setCamera(null);
    else await call?.setLayers(null, {});
  }

  get #isLayered() {
    return Object.keys(this.#sizes).length > 0;
  }

  /** @param {Kind} kind */
  #enable(kind) {
    for (const track of this.stream.getTracks()) {
      if (track.kind === kind) track.enabled = !this.#halted && !this.muted[kind];
    }
  }

  /** What was silent before a reload stays silent. @param {string[]} muted */
  takeMutes(muted) {
    for (const kind of /** @type {const} */ (["audio", "video"])) {
      const none = this.#lacks(kind);
      this.muted[kind] = none || muted.includes(kind);
      if (none && !muted.includes(kind)) this.#tell("muted", { kind, muted: true });
      this.#drawMute(kind);
    }
  }

  /** @param {Kind} kind */
  async toggle(kind) {
    const muted = (this.muted[kind] = !this.muted[kind]);
    if (!muted && this.#lacks(kind)) {
      await this.#open({ camera: kind === "video" || !this.muted.video });
    }
    this.#drawMute(kind);
    const [off, on] = kind === "audio" ? ["muted", "unmuted"] : ["camera-off", "camera-on"];
    announce(word(muted ? off : on));
    this.#tell("muted", { kind, muted });
  }

  async toggleScreen() {
    if (this.#screen) {
      this.#stopScreen();
      return;
    }
    const track = await devices.openScreen();
    if (!track || this.#halted) {
      track?.stop();
      return;
    }
    this.#screen = track;
    track.addEventListener("ended", () => this.#stopScreen());
    await this.call()?.setScreen(track);
    this.#press("screen", true);
    this.#tell("muted", { kind: "screen", muted: false });
  }

  #stopScreen() {
    this.#screen?.stop();
    this.#screen = null;
    void this.call()?.setScreen(null);
    this.#press("screen", false);
    this.#tell("muted", { kind: "screen", muted: true });
  }

  /** @param {Kind} kind */
  #lacks(kind) {
    return this.stream.getTracks().every((track) => track.kind !== kind);
  }

  /** @param {Kind} kind */
  #drawMute(kind) {
    const muted = this.muted[kind];
    this.#enable(kind);
    this.#press(kind === "audio" ? "microphone" : "camera", muted);
    this.#tell("changed", null);
  }

  /** @param {string} button @param {boolean} pressed */
  #press(button, pressed) {
    one(this.root, `.room-bar [data-do="${button}"]`).setAttribute("aria-pressed", String(pressed));
  }

  /** The own picture, on the stage and in the waiting room. */
  #show() {
    this.stage.showOwn(this.stream);
    const mirror = /** @type {HTMLVideoElement} */ (one(this.root, "[data-own]"));
    const seen = this.stream.getVideoTracks().length > 0;
    mirror.srcObject = this.stream;
    mirror.hidden = !seen;
    one(this.root, "[data-own-voice]").hidden = seen;
  }

  async #fill() {
    const found = await devices.list();
    const chosen = remembered();
    fill(one(this.root, "#call-microphone"), found.microphones, chosen.microphoneId);
    fill(one(this.root, "#call-camera"), found.cameras, chosen.cameraId);
    fill(one(this.root, "#call-speaker"), found.speakers, chosen.speakerId);
    one(this.root, "[data-speaker-field]").hidden =
      !devices.canChooseSpeaker() || found.speakers.length === 0;
  }

  /** @param {Event} event */
  async #choose(event) {
    const select = /** @type {HTMLSelectElement} */ (event.target);
    const kind = select.dataset.device ?? "";
    remember({ [`${kind}Id`]: select.value });
    if (kind === "speaker") await this.stage.speakTo(select.value);
    else await this.#open({ camera: remembered().camera });
  }

  /** In mid-call: other devices, or a camera after all. @param {{camera: boolean}} wanted */
  async #open({ camera }) {
    const { cameraId, microphoneId } = remembered();
    const opened = await devices.open({ camera, microphone: true, cameraId, microphoneId });
    devices.close(this.stream);
    remember({ camera });
    this.#watch(opened.stream);
    await this.#use(opened.stream);
  }

  /** @param {MediaStream} stream in place of the present one */
  async #use(stream) {
    this.stream = stream;
    for (const kind of /** @type {const} */ (["audio", "video"])) this.#enable(kind);
    this.#show();
    this.#takeStills();
    await this.#send();
  }

  /** @param {string} type @param {unknown} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** In the background no browser opens a device. @returns {Promise<void>} when the page is seen */
function seen() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", () => resolve(), { once: true });
  });
}

/** @param {HTMLElement} select @param {MediaDeviceInfo[]} infos @param {string | undefined} chosen */
function fill(select, infos, chosen) {
  select.replaceChildren(
    ...infos.map((info) => new Option(info.label, info.deviceId, false, info.deviceId === chosen)),
  );
}
