/**
 * Cameras, microphones and speakers: opening them, changing them, hearing that they work, and
 * naming what is wrong in one word that the page can explain. Touches no document.
 */

/**
 * Why a device did not open. `permission`: the person or the browser's settings said no;
 * `system`: the operating system keeps the browser out; `missing`: there is none; `busy`: another
 * program holds it; `insecure`: the page is not HTTPS, so browsers hide devices; `embedded`: an
 * in-app browser that hides or refuses devices; `failed`: anything else.
 * @typedef {"permission" | "system" | "missing" | "busy" | "insecure" | "embedded" | "failed"} Trouble
 */

/** @typedef {"chrome" | "firefox" | "safari" | "samsung" | "edge" | "other"} BrowserName */

/**
 * `camera` and `microphone` say what is wrong with each, or null when it opened or was not asked.
 * @typedef {{stream: MediaStream, camera: Trouble | null, microphone: Trouble | null}} Opened
 */

/**
 * @typedef {object} Wish
 * @property {boolean} camera
 * @property {boolean} microphone
 * @property {string} [cameraId]
 * @property {string} [microphoneId]
 * @property {"user" | "environment"} [facing]
 */

const IN_APP =
  /FBAN|FBAV|FB_IAB|Instagram|WhatsApp|Line\/|MicroMessenger|Snapchat|TikTok|musical_ly|Bytedance|Telegram|LinkedInApp|Twitter|; wv\)/;
/** A browser on iOS calls itself Safari, too; a window inside another app does not. */
const IN_APP_ON_IOS = /\((iPhone|iPad|iPod).*AppleWebKit(?!.*Safari)/;

/** @returns {boolean} whether this is a browser inside another app, which often has no camera */
export function isInAppBrowser(agent = navigator.userAgent) {
  return IN_APP.test(agent) || IN_APP_ON_IOS.test(agent);
}

/** @returns {BrowserName} the family whose settings the person must open to mend a refusal */
export function browserName(agent = navigator.userAgent) {
  if (/Edg\//.test(agent)) return "edge";
  if (/SamsungBrowser/.test(agent)) return "samsung";
  if (/Firefox|FxiOS/.test(agent)) return "firefox";
  if (/Chrome|CriOS|Chromium/.test(agent)) return "chrome";
  if (/Safari/.test(agent)) return "safari";
  return "other";
}

/**
 * Chromium says "Permission denied by system" when macOS, Windows or Android refuses it; to the
 * person that is mended in another place than the browser's own question.
 * @param {unknown} error @returns {Trouble}
 */
export function troubleOf(error) {
  const { name, message } = error instanceof Error ? error : { name: "", message: "" };
  if (name === "NotAllowedError" || name === "SecurityError") {
    return /system/i.test(message) ? "system" : "permission";
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") return "missing";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  return "failed";
}

/** @param {Wish} wish @returns {MediaTrackConstraints} */
function cameraConstraints(wish) {
  return {
    width: { ideal: 640 },
    height: { ideal: 360 },
    frameRate: { ideal: 30, max: 30 },
    ...(wish.cameraId
      ? { deviceId: { exact: wish.cameraId } }
      : { facingMode: wish.facing ?? "user" }),
  };
}

/** @param {Wish} wish @returns {MediaTrackConstraints} */
function microphoneConstraints(wish) {
  return {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    channelCount: 1,
    ...(wish.microphoneId ? { deviceId: { exact: wish.microphoneId } } : {}),
  };
}

/**
 * Open what the person wishes, and as much of it as there is: with a broken camera the voice still
 * goes, and the other way round.
 * @param {Wish} wish @returns {Promise<Opened>} never rejects; the stream may be empty
 */
export async function open(wish) {
  const stream = new MediaStream();
  if (!navigator.mediaDevices?.getUserMedia) {
    const trouble = isInAppBrowser() ? "embedded" : window.isSecureContext ? "failed" : "insecure";
    return {
      stream,
      camera: wish.camera ? trouble : null,
      microphone: wish.microphone ? trouble : null,
    };
  }
  const video = wish.camera ? cameraConstraints(wish) : undefined;
  const audio = wish.microphone ? microphoneConstraints(wish) : undefined;
  if (video && audio) {
    // Together first: one question to the person instead of two.
    try {
      return { stream: await request({ video, audio }), camera: null, microphone: null };
    } catch {
      // One of the two is at fault: which one shows when they are asked apart.
    }
  }
  /** @param {MediaStreamConstraints} constraints @returns {Promise<Trouble | null>} */
  const add = async (constraints) => {
    try {
      for (const track of (await request(constraints)).getTracks()) stream.addTrack(track);
      return null;
    } catch (error) {
      const trouble = troubleOf(error);
      // Inside another app nobody was asked: there is no setting in which to allow it.
      return trouble === "permission" && isInAppBrowser() ? "embedded" : trouble;
    }
  };
  const microphone = audio ? await add({ audio }) : null;
  const camera = video ? await add({ video }) : null;
  return { stream, camera, microphone };
}

/**
 * A remembered device that was unplugged must not keep the person out: without it, any will do.
 * @param {MediaStreamConstraints} constraints @returns {Promise<MediaStream>}
 */
async function request(constraints) {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "OverconstrainedError") throw error;
    return navigator.mediaDevices.getUserMedia({
      video: Boolean(constraints.video),
      audio: Boolean(constraints.audio),
    });
  }
}

/** @param {MediaStream} stream */
export function close(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/**
 * @returns {Promise<{cameras: MediaDeviceInfo[], microphones: MediaDeviceInfo[],
 *   speakers: MediaDeviceInfo[]}>} names are empty until a device was opened once
 */
export async function list() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  /** @param {MediaDeviceKind} kind */
  const of = (kind) => all.filter((device) => device.kind === kind);
  return { cameras: of("videoinput"), microphones: of("audioinput"), speakers: of("audiooutput") };
}

/** @returns {boolean} whether this browser lets a page choose the speaker */
export function canChooseSpeaker() {
  return "setSinkId" in HTMLMediaElement.prototype;
}

/** @returns {boolean} whether a screen can be shared from this browser (phones cannot) */
export function canShareScreen() {
  return Boolean(navigator.mediaDevices?.getDisplayMedia);
}

/**
 * Text and X-rays must stay readable, so frame rate gives way before resolution.
 * @returns {Promise<MediaStreamTrack | null>} null when the person changed their mind
 */
export async function openScreen() {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { max: 15 } },
      audio: false,
    });
    const [track] = stream.getVideoTracks();
    if (track) track.contentHint = "detail";
    return track ?? null;
  } catch (error) {
    if (troubleOf(error) === "permission") return null;
    throw error;
  }
}

/** Tells how loud a microphone is, some twelve times a second, as an event `level` (0 to 1). */
export class LevelMeter extends EventTarget {
  /** @type {AudioContext | null} */
  #context = null;
  #timer = 0;
  #heard = false;

  /** Whether anything louder than a quiet room came since `start`. */
  get heard() {
    return this.#heard;
  }

  /** @param {MediaStream} stream */
  start(stream) {
    this.stop();
    if (stream.getAudioTracks().length === 0) return;
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 512;
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#context = context;
    this.#heard = false;
    this.#timer = window.setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const level = loudness(samples);
      this.#heard ||= level > 0.25;
      this.dispatchEvent(new CustomEvent("level", { detail: level }));
    }, 80);
  }

  stop() {
    window.clearInterval(this.#timer);
    void this.#context?.close();
    this.#context = null;
  }
}

/**
 * Root mean square on a scale that people see as even: -60 dB and below is 0, full scale is 1.
 * @param {Float32Array} samples @returns {number}
 */
export function loudness(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / samples.length + 1e-12);
  return Math.min(1, Math.max(0, (decibels + 60) / 60));
}

/**
 * Two soft notes from the speaker, so that a person can say whether they heard them.
 * @param {string} [speakerId] @returns {Promise<void>} when they have been played
 */
export async function playTestTone(speakerId) {
  const context = new AudioContext();
  if (speakerId && "setSinkId" in context) {
    await /** @type {AudioContext & {setSinkId(id: string): Promise<void>}} */ (context).setSinkId(
      speakerId,
    );
  }
  const gain = context.createGain();
  gain.connect(context.destination);
  const starts = context.currentTime + 0.05;
  const finished = [523.25, 659.25].map((frequency, index) => {
    const note = context.createOscillator();
    note.frequency.value = frequency;
    note.connect(gain);
    note.start(starts + index * 0.35);
    note.stop(starts + index * 0.35 + 0.3);
    return new Promise((resolve) => note.addEventListener("ended", resolve));
  });
  gain.gain.setValueAtTime(0, starts);
  gain.gain.linearRampToValueAtTime(0.2, starts + 0.05);
  gain.gain.setValueAtTime(0.2, starts + 0.55);
  gain.gain.linearRampToValueAtTime(0, starts + 0.65);
  await Promise.all(finished);
  await context.close();
}
