/**
 * The device check: draws `_device_check.html` from what devices.js finds, and remembers the
 * choice for the room. Sends `checked` from `#device-check` with the `Trouble` of each device.
 */

import * as devices from "./devices.js";

/** @typedef {{camera: boolean, cameraId?: string, microphoneId?: string, speakerId?: string}} Choice */

const REMEMBERED = "telemed.devices";

/** @returns {Choice} what the person chose in this tab, for the room to open the same */
export function remembered() {
  try {
    return { camera: true, ...JSON.parse(sessionStorage.getItem(REMEMBERED) ?? "{}") };
  } catch {
    return { camera: true };
  }
}

/** @param {Partial<Choice>} change */
export function remember(change) {
  sessionStorage.setItem(REMEMBERED, JSON.stringify({ ...remembered(), ...change }));
}

/** One check on one page; `stream` is what it opened, to be taken over or closed by the page. */
export class DeviceCheck {
  stream = new MediaStream();
  #meter = new devices.LevelMeter();

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    root.addEventListener("click", (event) => {
      const target = /** @type {Element} */ (event.target).closest("[data-action]");
      if (target instanceof HTMLElement) void this.#act(target.dataset.action ?? "");
    });
    for (const kind of /** @type {const} */ (["camera", "microphone", "speaker"])) {
      this.#select(kind).addEventListener("change", (event) => {
        remember({ [`${kind}Id`]: /** @type {HTMLSelectElement} */ (event.target).value });
        if (kind !== "speaker") void this.open(remembered().camera);
      });
    }
    this.#meter.addEventListener("level", (event) => {
      const meter = /** @type {HTMLMeterElement} */ (this.#one("[data-level]"));
      meter.value = /** @type {CustomEvent<number>} */ (event).detail;
      this.#one("[data-heard]").hidden = !this.#meter.heard;
    });
    if (devices.isInAppBrowser() && !navigator.mediaDevices) {
      this.#tell("embedded");
      this.#checked("embedded", "embedded");
    }
  }

  /** @param {boolean} camera whether a picture is wished at all */
  async open(camera) {
    remember({ camera });
    devices.close(this.stream);
    const { cameraId, microphoneId } = remembered();
    const opened = await devices.open({ camera, microphone: true, cameraId, microphoneId });
    this.stream = opened.stream;
    this.#draw(opened);
    await this.#fillChoices();
    this.#checked(opened.camera, opened.microphone);
  }

  /** @param {devices.Trouble | null} camera @param {devices.Trouble | null} microphone */
  #checked(camera, microphone) {
    const detail = { camera, microphone };
    this.root.dispatchEvent(new CustomEvent("checked", { detail, bubbles: true }));
  }

  /** Leave the devices to the room: the picture stays, the meter stops. */
  stop() {
    this.#meter.stop();
  }

  /** @param {string} action */
  async #act(action) {
    if (action === "open") await this.open(true);
    if (action === "open-voice") await this.open(false);
    if (action === "tone") {
      await devices.playTestTone(remembered().speakerId);
      this.#one("[data-tone-hint]").hidden = false;
    }
    if (action === "copy-link") {
      await navigator.clipboard.writeText(location.href);
      this.#one("[data-copied]").hidden = false;
    }
  }

  /** @param {devices.Opened} opened */
  #draw(opened) {
    const preview = /** @type {HTMLVideoElement} */ (this.#one("[data-preview]"));
    preview.srcObject = opened.stream;
    const seen = opened.stream.getVideoTracks().length > 0;
    preview.hidden = !seen;
    this.#one("[data-no-picture]").hidden = seen;
    const trouble = opened.microphone ?? opened.camera;
    this.#tell(trouble);
    const heard = opened.stream.getAudioTracks().length > 0;
    this.#one("[data-start]").hidden = trouble !== null || heard;
    this.#one("[data-opened]").hidden = !heard;
    this.#meter.start(opened.stream);
  }

  /** @param {devices.Trouble | null} trouble */
  #tell(trouble) {
    for (const note of this.#all("[data-trouble]")) note.hidden = note.dataset.trouble !== trouble;
    for (const mend of this.#all("[data-mend]")) {
      mend.hidden = !mend.dataset.mend?.split(" ").includes(devices.browserName());
    }
    this.#one("[data-retry]").hidden = trouble === null || trouble === "embedded";
    if (trouble === "embedded" && /Android/.test(navigator.userAgent)) {
      const out = /** @type {HTMLAnchorElement} */ (this.#one("[data-open-outside]"));
      const bare = location.href.replace(/^https?:\/\//, "");
      out.href = `intent://${bare}#Intent;scheme=https;action=android.intent.action.VIEW;end`;
      out.hidden = false;
    }
  }

  async #fillChoices() {
    const found = await devices.list();
    const chosen = remembered();
    this.#fill("camera", found.cameras, chosen.cameraId);
    this.#fill("microphone", found.microphones, chosen.microphoneId);
    this.#fill("speaker", devices.canChooseSpeaker() ? found.speakers : [], chosen.speakerId);
  }

  /** @param {"camera" | "microphone" | "speaker"} kind @param {MediaDeviceInfo[]} infos
   *  @param {string | undefined} chosen */
  #fill(kind, infos, chosen) {
    this.#one(`[data-choice="${kind}"]`).hidden = infos.length < 2;
    this.#select(kind).replaceChildren(
      ...infos.map((info) => new Option(info.label, info.deviceId, false, info.deviceId === chosen)),
    );
  }

  /** @param {string} kind */
  #select(kind) {
    return /** @type {HTMLSelectElement} */ (this.#one(`[data-choice="${kind}"] select`));
  }

  /** @param {string} selector @returns {HTMLElement} */
  #one(selector) {
    const found = this.root.querySelector(selector);
    if (!(found instanceof HTMLElement)) throw new Error(`no ${selector} in the device check`);
    return found;
  }

  /** @param {string} selector @returns {HTMLElement[]} */
  #all(selector) {
    return [...this.root.querySelectorAll(selector)].filter((one) => one instanceof HTMLElement);
  }
}
