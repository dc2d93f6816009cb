/**
 * A camera as one still picture every few seconds: a track that is sent like any other, so that
 * what is lost of it is repeated, and that costs a thin link little.
 */

const EVERY_MS = 4000;
const WIDTH = 320;

export class Still {
  /** @type {MediaStreamTrack | null} */ track;
  #video = document.createElement("video");
  #canvas = document.createElement("canvas");
  #timer = 0;

  /** @param {MediaStreamTrack} camera */
  constructor(camera) {
    this.#video.muted = this.#video.playsInline = true;
    this.#video.srcObject = new MediaStream([camera]);
    this.#video.addEventListener("loadeddata", () => this.#take(), { once: true });
    void this.#video.play().catch(() => {});
    this.#canvas.width = WIDTH;
    this.#canvas.height = Math.round(WIDTH * 0.5625);
    this.track = this.#canvas.captureStream(0).getVideoTracks()[0] ?? null;
    this.#timer = window.setInterval(() => this.#take(), EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.track?.stop();
    this.#video.srcObject = null;
  }

  #take() {
    const { videoWidth, videoHeight } = this.#video;
    if (!videoWidth) return;
    const height = Math.round((WIDTH * videoHeight) / videoWidth);
    if (this.#canvas.height !== height) this.#canvas.height = height;
    this.#canvas.getContext("2d")?.drawImage(this.#video, 0, 0, WIDTH, height);
    /** @type {CanvasCaptureMediaStreamTrack} */ (this.track).requestFrame();
  }
}
