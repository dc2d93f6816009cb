/**
 * A document of its own for a connection made right after the network came back. Chromium gathers
 * candidates from a list of networks that each document keeps, and renews it 1 s (Android) or 2 s
 * (Linux) after a change; a new document begins with the list of now.
 */

/** @returns {{Connection: typeof RTCPeerConnection, remove: () => void}} */
export function freshDocument() {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  document.body.append(frame);
  const { RTCPeerConnection: Connection } = /** @type {typeof globalThis} */ (
    /** @type {unknown} */ (frame.contentWindow)
  );
  return { Connection, remove: () => frame.remove() };
}
