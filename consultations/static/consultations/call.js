// The browser's side of the media connection: one RTCPeerConnection with fixed slots, no DOM and
// no socket. The page carries the offers and answers; see docs/media.md for why it is one
// connection and why it never renegotiates.
//
// Every media section receives; the first audio section also sends the microphone, the first
// video section the camera, the second the screen, and the third the camera in several sizes, where
// people with unlike links watch. Who is seen in which section (`mid`) is told by the room's
// signalling.

import { selectedPair } from "./pair.js";

/**
 * @typedef {{audio: number, video: number}} SlotCounts How many sections of each kind there are.
 * @typedef {{mid: string, kind: string, track: MediaStreamTrack}} SlotTrack
 * @typedef {{maxBitrate: number, maxFramerate: number, scaleResolutionDownBy: number,
 *   degradationPreference?: RTCDegradationPreference}} CameraShape
 * @typedef {"new" | "connecting" | "connected" | "reconnecting" | "closed"} CallState
 * @typedef {{
 *   roundTripSeconds: number | null, relayed: boolean,
 *   upBitsPerSecond: number, downBitsPerSecond: number, availableUpBitsPerSecond: number | null,
 *   audioPacketsLostShare: number, audioConcealedShare: number,
 *   audioEnergy: number, framesDecoded: number, framesPerSecond: number,
 *   freezeSeconds: number, frameWidth: number, frameHeight: number,
 *   bytesSent: number, bytesReceived: number
 * }} CallStatistics
 */

/** Until the link is known: a browser begins with 300 kbit/s, which would fill a thin link for
 * seconds, and keep what it is told of the other direction waiting. @type {RTCRtpEncodingParameters} */
const CAMERA = { maxBitrate: 100_000, maxFramerate: 15, scaleResolutionDownBy: 2 };
/** What has no picture is not `active`: Chromium may count it in for good, and keep a share of the way
 * out for it, where it was made on a thin one. @type {RTCRtpEncodingParameters} */
const SCREEN = { maxBitrate: 2_000_000, active: false };
/** The smallest first, as the server takes them. @type {RTCRtpEncodingParameters[]} */
const LAYERS = ["q", "h", "f"].map((rid) => ({ rid, active: false }));
/** Pixels of a camera below which Chromium sends two sizes only, and leaves out the last. */
const THREE_SIZES = 960 * 540;
/** Every second frame can be left out. Unknown to Firefox, which sends them all in one. */
const HALVES = { scalabilityMode: "L1T2" };
const ASK_AGAIN_MS = 4000;
/** What a voice that was sent again over a far and lossy way needs to come in time. */
const PATIENT_MS = 250;

/**
 * Events: `state` (detail: CallState), `slot` (detail: SlotTrack, once for each section that
 * receives), `needoffer` (detail: the reason; send what `restart()` returns, then `accept`).
 */
export class Call extends EventTarget {
  /** @type {RTCPeerConnection} */ #connection;
  /** @type {Promise<RTCSessionDescriptionInit> | null} the one offer that may be answered */
  #pending = null;
  /** @type {Map<string, SlotTrack>} */ #slots = new Map();
  /** @type {CallState} */ #state = "new";
  /** @type {CallStatistics | null} */ #before = null;
  #beforeAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #askTimer;
  /** @type {string | null} the server's newest */ #answer = null;
  #agreed = Promise.resolve();
  #thin = false;
  /** @type {Record<string, number>} of each size of the camera */ #wanted = {};
  #listening = new AbortController();
  /** @type {RTCRtpTransceiver[]} */ #audio = [];
  /** @type {RTCRtpTransceiver[]} */ #video = [];

  /**
   * @param {{iceServers?: RTCIceServer[], slots?: SlotCounts, camera?: RTCRtpEncodingParameters,
   *   Connection?: typeof RTCPeerConnection}}
   *   options `camera`: what the encoder makes of it at first; `Connection`: another document's
   */
  constructor({
    iceServers = [],
    slots = { audio: 1, video: 2 },
    camera = CAMERA,
    Connection = RTCPeerConnection,
  } = {}) {
    super();
    this.#connection = new Connection({ iceServers, bundlePolicy: "max-bundle" });
    this.#layOutSections(slots, [[camera], [SCREEN], LAYERS]);
    this.#listen();
  }

  /** @returns {CallState} */
  get state() {
    return this.#state;
  }

  /** The tracks of the sections that receive. @returns {SlotTrack[]} */
  get slots() {
    return [...this.#slots.values()];
  }

  /**
   * Takes the devices' tracks and makes the offer in advance, so that entering the room costs one
   * round trip. May be called again before the offer is answered.
   * @param {MediaStream | null} stream
   * @param {MediaStreamTrack | null} [screen]
   * @returns {Promise<string>} the offer
   */
  async prepare(stream, screen = null) {
    await this.setMicrophone(stream?.getAudioTracks()[0] ?? null);
    await this.setCamera(stream?.getVideoTracks()[0] ?? null);
    await this.setScreen(screen);
    return this.offer();
  }

  /** The offer made before, or a new one. @returns {Promise<string>} */
  async offer() {
    this.#pending ??= this.#connection.createOffer();
    return (await this.#pending).sdp ?? "";
  }

  /**
   * An offer with new ICE credentials, in place of one that was not answered yet; the session and
   * its media go on.
   * @returns {Promise<string>}
   */
  async restart() {
    this.#pending = this.#connection.createOffer({ iceRestart: true });
    return (await this.#pending).sdp ?? "";
  }

  /**
   * Applies the answer to the newest offer.
   * @param {string} answer
   * @param {RTCIceServer[]} [iceServers] time-limited relay credentials, known only on admission
   */
  async accept(answer, iceServers) {
    if (this.#pending === null) throw new Error("no offer is waiting for an answer");
    const offer = this.#pending;
    this.#pending = null;
    if (iceServers) {
      this.#connection.setConfiguration({ ...this.#connection.getConfiguration(), iceServers });
    }
    await this.#agree(offer, answer);
    this.#settleSlots();
  }

  /**
   * The voice in few long packets: what a thin way out saves on headers, the picture can have; or
   * in short ones again. The server has no part in it: its newest answer is taken once more, and a
   * full way out need not carry another offer.
   * @param {boolean} wanted
   */
  saveHeaders(wanted) {
    if (this.#thin === wanted) return;
    this.#thin = wanted;
    // An answer that is awaited is taken so; a connection that is closed meanwhile needs none.
    if (this.#pending === null && this.#answer !== null) this.#agree(null, this.#answer).catch(() => {});
  }

  /** Whether the voice leaves in few long packets. */
  get thin() {
    return this.#thin;
  }

  /** One after the other: half of two agreements is none.
   * @param {Promise<RTCSessionDescriptionInit> | null} offer one like the last while null
   * @param {string} answer */
  #agree(offer, answer) {
    this.#answer = answer;
    const agreed = this.#agreed.then(async () => {
      await this.#connection.setLocalDescription(await (offer ?? this.#connection.createOffer()));
      const sdp = this.#thin ? withLongPackets(answer) : answer;
      await this.#connection.setRemoteDescription({ type: "answer", sdp });
      await this.#settleLayers();
    });
    this.#agreed = agreed.catch(() => {});
    return agreed;
  }

  /** Chromium takes every size that an answer names for active. */
  async #settleLayers() {
    const sender = this.#video[2]?.sender;
    if (sender) await sendSizes(sender, sender.track ? sizesOf(sender.track, this.#wanted) : {});
  }

  /**
   * Whether voices are played so late that what was lost on its way can still come.
   * @param {boolean} patient
   */
  set patient(patient) {
    for (const { receiver } of this.#audio) {
      /** @type {{jitterBufferTarget?: number | null}} */ (receiver).jitterBufferTarget = patient
        ? PATIENT_MS
        : null;
    }
  }

  /** @param {MediaStreamTrack | null} track */
  async setMicrophone(track) {
    await this.#audio[0]?.sender.replaceTrack(track);
  }

  /** @param {MediaStreamTrack | null} track */
  async setCamera(track) {
    if (track && track.contentHint === "") track.contentHint = "motion";
    await this.#video[0]?.sender.replaceTrack(track);
  }

  /**
   * The camera in several sizes, beside or instead of what `setCamera` sends.
   * @param {MediaStreamTrack | null} track
   * @param {Record<string, number>} wanted most bits a second of each size, by its rid; those of a
   *   small camera are a half and a whole
   */
  async setLayers(track, wanted) {
    const sender = this.#video[2]?.sender;
    if (!sender || (track === null && sender.track === null)) return;
    this.#wanted = wanted;
    await sendSizes(sender, track ? sizesOf(track, wanted) : {});
    if (track?.contentHint === "") track.contentHint = "motion";
    if (sender.track !== track) await sender.replaceTrack(track);
  }

  /** Whether the camera can be sent in several sizes. */
  get hasLayers() {
    const encodings = this.#video[2]?.sender.getParameters().encodings ?? [];
    return encodings.length > 1;
  }

  /** What the encoder makes of the camera. Another preference of what is kept also makes Chromium
   * forget how far it has shrunk the picture by itself.
   * @param {CameraShape} shape */
  async shapeCamera({ degradationPreference = "maintain-framerate", ...shape }) {
    const sender = this.#video[0]?.sender;
    const parameters = sender?.getParameters();
    const encoding = parameters?.encodings?.[0];
    if (!sender || !parameters || !encoding) return;
    Object.assign(encoding, shape);
    Object.assign(parameters, { degradationPreference });
    await sender.setParameters(parameters);
  }

  /** @param {MediaStreamTrack | null} track */
  async setScreen(track) {
    const sender = this.#video[1]?.sender;
    if (!sender || sender.track === track) return;
    if (track && track.contentHint === "") track.contentHint = "detail";
    await sendSizes(sender, track ? { "": {} } : {});
    await sender.replaceTrack(track);
  }

  /**
   * Carries what is no media, whole and in order. Both ends know of it, so it is there with the
   * first answer; call it before the first offer.
   * @returns {RTCDataChannel}
   */
  openChannel() {
    return this.#connection.createDataChannel("", { negotiated: true, id: 0 });
  }

  close() {
    clearTimeout(this.#askTimer);
    this.#listening.abort();
    this.#connection.close();
    this.#become("closed");
  }

  /** @param {SlotCounts} slots @param {RTCRtpEncodingParameters[][]} encodings */
  #layOutSections(slots, encodings) {
    for (let i = 0; i < Math.max(1, slots.audio); i += 1) {
      const direction = i === 0 ? "sendrecv" : "recvonly";
      this.#audio.push(this.#connection.addTransceiver("audio", { direction }));
    }
    for (let i = 0; i < Math.max(1, slots.video); i += 1) {
      const sending = encodings[i];
      this.#video.push(this.#addVideo(sending ?? []));
    }
    for (const each of this.#audio) preferCodecs(each, "audio", ["audio/opus"]);
    for (const each of this.#video) preferCodecs(each, "video", ["video/vp8", "video/rtx"]);
  }

  /** @param {RTCRtpEncodingParameters[]} encodings none for a section that only receives */
  #addVideo(encodings) {
    const direction = encodings.length > 0 ? "sendrecv" : "recvonly";
    const more = encodings.length > 1 ? HALVES : {};
    const sendEncodings = encodings.map((each) => ({ ...each, ...more }));
    return this.#connection.addTransceiver("video", { direction, sendEncodings });
  }

  #listen() {
    const { signal } = this.#listening;
    const connection = this.#connection;
    connection.addEventListener("iceconnectionstatechange", () => this.#iceChanged(), { signal });
    connection.addEventListener("connectionstatechange", () => this.#iceChanged(), { signal });
    globalThis.addEventListener?.("online", () => this.#needOffer("online"), { signal });
    const network = /** @type {{connection?: EventTarget & {type?: string}}} */ (
      /** @type {unknown} */ (globalThis.navigator)
    ).connection;
    let type = network?.type;
    const changed = () => {
      // It also tells of every new estimate of the rate.
      if (network?.type !== type) this.#needOffer("network");
      type = network?.type;
    };
    network?.addEventListener("change", changed, { signal });
  }

  #iceChanged() {
    const ice = this.#connection.iceConnectionState;
    if (this.#connection.connectionState === "connected" && ice !== "disconnected") {
      clearTimeout(this.#askTimer);
      this.#askTimer = undefined;
      this.#become("connected");
    } else if (ice === "disconnected" || ice === "failed") {
      this.#become("reconnecting");
      this.#needOffer(ice);
    } else if (this.#state === "new" && ice === "checking") {
      this.#become("connecting");
    }
  }

  /**
   * Asks for an ICE restart, and again until the connection is back: the offer or its answer may
   * be lost together with the network.
   * @param {string} reason
   */
  #needOffer(reason) {
    if (this.#connection.remoteDescription === null || this.#askTimer !== undefined) return;
    this.dispatchEvent(new CustomEvent("needoffer", { detail: reason }));
    this.#askTimer = setTimeout(() => {
      this.#askTimer = undefined;
      if (this.#state === "reconnecting") this.#needOffer("again");
    }, ASK_AGAIN_MS);
  }

  /** @param {CallState} state */
  #become(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #settleSlots() {
    for (const transceiver of [...this.#audio, ...this.#video]) {
      const { mid } = transceiver;
      if (mid === null || this.#slots.has(mid)) continue;
      const { track } = transceiver.receiver;
      const slot = { mid, kind: track.kind, track };
      this.#slots.set(mid, slot);
      this.dispatchEvent(new CustomEvent("slot", { detail: slot }));
    }
  }

  /** The browser's own reports, for those who need more than a summary. */
  reports() {
    return this.#connection.getStats();
  }

  /**
   * What the connection does: rates since the call before this one, the rest since its start.
   * @returns {Promise<CallStatistics>}
   */
  async statistics() {
    const now = summarise([...(await this.reports()).values()]);
    const at = performance.now();
    if (this.#before !== null && at > this.#beforeAt) {
      const seconds = (at - this.#beforeAt) / 1000;
      now.upBitsPerSecond = ((now.bytesSent - this.#before.bytesSent) * 8) / seconds;
      now.downBitsPerSecond = ((now.bytesReceived - this.#before.bytesReceived) * 8) / seconds;
    }
    this.#before = now;
    this.#beforeAt = at;
    return now;
  }
}

/**
 * Sends a picture in these sizes and in no other.
 * @param {RTCRtpSender} sender
 * @param {Record<string, RTCRtpEncodingParameters>} sizes by rid, which is empty where there is one
 */
async function sendSizes(sender, sizes) {
  const parameters = sender.getParameters();
  if (!parameters.encodings?.length) return;
  for (const encoding of parameters.encodings) {
    const size = sizes[encoding.rid ?? ""];
    Object.assign(encoding, size, { active: size !== undefined });
  }
  await sender.setParameters(parameters);
}

/**
 * What the encoders make of a camera, by rid; nothing for a size that is not wanted.
 * @param {MediaStreamTrack} track @param {Record<string, number>} wanted
 * @returns {Record<string, RTCRtpEncodingParameters>}
 */
function sizesOf(track, { q, h, f }) {
  const { width = 0, height = 0 } = track.getSettings();
  const three = width * height >= THREE_SIZES;
  return {
    ...(q && { q: { maxBitrate: q, scaleResolutionDownBy: three ? 4 : 2 } }),
    ...((h || (f && !three)) && {
      h: { maxBitrate: h ?? f, scaleResolutionDownBy: three ? 2 : 1 },
    }),
    ...(f && three && { f: { maxBitrate: f, scaleResolutionDownBy: 1 } }),
  };
}

/**
 * At 20 ms a voice spends more bits on headers than on itself; at 60 ms a third of that.
 * @param {string} answer @returns {string}
 */
function withLongPackets(answer) {
  return answer.replace(
    /^(a=fmtp:\d+ minptime=10;.*)maxaveragebitrate=\d+/gm,
    "$1maxaveragebitrate=20000\r\na=ptime:60",
  );
}

/**
 * Keeps the session description small; a browser without these codecs offers what it has, and
 * the server says what is missing.
 * @param {RTCRtpTransceiver} transceiver
 * @param {"audio" | "video"} kind
 * @param {string[]} wanted
 */
function preferCodecs(transceiver, kind, wanted) {
  const all = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  const chosen = all.filter((codec) => wanted.includes(codec.mimeType.toLowerCase()));
  if (chosen.some((codec) => codec.mimeType.toLowerCase() === wanted[0])) {
    transceiver.setCodecPreferences?.(chosen);
  }
}

/**
 * @param {any[]} reports of RTCPeerConnection.getStats
 * @returns {CallStatistics}
 */
function summarise(reports) {
  const byId = new Map(reports.map((report) => [report.id, report]));
  const pair = selectedPair(reports);
  const inbound = reports.filter((r) => r.type === "inbound-rtp");
  const audio = inbound.filter((r) => r.kind === "audio");
  const video = inbound.filter((r) => r.kind === "video");
  const lost = sum(audio, "packetsLost");
  return {
    roundTripSeconds: pair?.currentRoundTripTime ?? null,
    relayed: byId.get(pair?.localCandidateId)?.candidateType === "relay",
    availableUpBitsPerSecond: pair?.availableOutgoingBitrate ?? null,
    upBitsPerSecond: 0,
    downBitsPerSecond: 0,
    audioPacketsLostShare: lost / Math.max(1, lost + sum(audio, "packetsReceived")),
    audioConcealedShare:
      sum(audio, "concealedSamples") / Math.max(1, sum(audio, "totalSamplesReceived")),
    audioEnergy: sum(audio, "totalAudioEnergy"),
    framesDecoded: sum(video, "framesDecoded"),
    framesPerSecond: Math.max(0, ...video.map((r) => r.framesPerSecond ?? 0)),
    freezeSeconds: sum(video, "totalFreezesDuration"),
    frameWidth: Math.max(0, ...video.map((r) => r.frameWidth ?? 0)),
    frameHeight: Math.max(0, ...video.map((r) => r.frameHeight ?? 0)),
    bytesSent: pair?.bytesSent ?? 0,
    bytesReceived: pair?.bytesReceived ?? 0,
  };
}

/** @param {any[]} reports @param {string} field */
function sum(reports, field) {
  return reports.reduce((total, report) => total + (report[field] ?? 0), 0);
}
