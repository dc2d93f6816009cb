/** Tells the visit why somebody cannot come in, so that it is not taken for not having come. */

/** @type {Record<string, string>} a `Trouble` of devices.js in the room's words */
const REASONS = {
  permission: "permission",
  system: "permission",
  embedded: "browser",
  insecure: "browser",
};

/**
 * Without a microphone nobody can take part; without a camera one can.
 * @param {HTMLElement} root the visit's page, inside which it is checked and tested
 * @param {string} csrf
 * @returns {(reason: string) => void} tells a reason that somebody else found
 */
export function tellTroubles(root, csrf) {
  let told = "";
  /** @param {string} reason */
  const tell = (reason) => {
    if (reason === told) return;
    told = reason;
    const body = new URLSearchParams({ reason });
    const headers = { "X-CSRFToken": csrf };
    // No trouble of its own: who cannot be told of this is told of worse on the page.
    fetch(root.dataset.troubleUrl ?? "", { method: "POST", body, headers, keepalive: true }).catch(
      () => (told = ""),
    );
  };
  root.addEventListener("checked", (event) => {
    const { microphone } = /** @type {CustomEvent} */ (event).detail;
    if (microphone) tell(REASONS[microphone] ?? "device");
  });
  root.addEventListener("tested", (event) => {
    if (/** @type {CustomEvent} */ (event).detail === "lost") tell("network");
  });
  return tell;
}
