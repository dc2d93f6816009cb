/**
 * A picture as it may be sent: as large as it was taken, turned upright, and without what cameras
 * write beside it (place, time, device), because it is drawn and encoded anew.
 */

/** The same as `rules.MAX_PICTURE_BYTES`. */
const MOST_BYTES = 20_000_000;
/** The same as `rules.MAX_PICTURE_PIXELS`. */
const MOST_PIXELS = 120_000_000;
const QUALITIES = [0.92, 0.85, 0.75];
/** Phones cannot always draw what their cameras give. */
const SCALES = [1, 0.75, 0.5, 0.35];

/** @typedef {{bytes: ArrayBuffer, sha256: string, width: number, height: number, takenAt: number}} Shot */

/** @param {Blob} file @param {number} takenAt milliseconds @returns {Promise<Shot>} rejects for what is no picture */
export async function develop(file, takenAt) {
  const drawn = await open(file);
  const blob = await encode(drawn.image, drawn.width, drawn.height);
  drawn.close();
  const bytes = await blob.blob.arrayBuffer();
  return { bytes, sha256: await sha256(bytes), width: blob.width, height: blob.height, takenAt };
}

/** The largest that this camera gives. @param {MediaStreamTrack} track @returns {Promise<Blob>} */
export async function press(track) {
  const Capture = /** @type {any} */ (globalThis).ImageCapture;
  if (Capture) {
    const capture = new Capture(track);
    try {
      const { imageWidth, imageHeight } = await capture.getPhotoCapabilities();
      return await capture.takePhoto({ imageWidth: imageWidth.max, imageHeight: imageHeight.max });
    } catch {
      // Some cameras take no photos while they film: then a frame of the film.
    }
  }
  return frameOf(track);
}

/** @param {MediaStreamTrack} track @returns {Promise<Blob>} */
async function frameOf(track) {
  const video = document.createElement("video");
  video.muted = video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  await video.play();
  const { blob } = await encode(video, video.videoWidth, video.videoHeight);
  video.srcObject = null;
  return blob;
}

/** @param {Blob} file @returns {Promise<{image: CanvasImageSource, width: number, height: number, close: () => void}>} */
async function open(file) {
  try {
    const image = await createImageBitmap(file, { imageOrientation: "from-image" });
    return { image, width: image.width, height: image.height, close: () => image.close() };
  } catch {
    const image = new Image();
    const url = URL.createObjectURL(file);
    image.src = url;
    try {
      await image.decode();
    } finally {
      URL.revokeObjectURL(url);
    }
    return { image, width: image.naturalWidth, height: image.naturalHeight, close: () => {} };
  }
}

/** @param {CanvasImageSource} image @param {number} width @param {number} height */
async function encode(image, width, height) {
  const canvas = document.createElement("canvas");
  const most = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  for (const scale of SCALES) {
    canvas.width = Math.floor(width * most * scale);
    canvas.height = Math.floor(height * most * scale);
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    for (const quality of QUALITIES) {
      /** @type {Blob | null} */
      const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
      if (blob === null || blob.type !== "image/jpeg") break;
      if (blob.size <= MOST_BYTES) return { blob, width: canvas.width, height: canvas.height };
    }
  }
  throw new Error("no picture");
}

/** @param {ArrayBuffer} bytes */
async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
