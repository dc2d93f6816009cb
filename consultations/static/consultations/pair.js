/** The pair of candidates that carries a connection (W3C webrtc-stats). */

/**
 * Told by the transport, by Firefox on the pair itself. Its `state` does not tell: Chromium calls it
 * "in-progress" during each consent check, which is much of the time where answers take long.
 * @param {any[]} reports of RTCPeerConnection.getStats
 * @returns {any} undefined while there is none
 */
export function selectedPair(reports) {
  const chosen = reports.find((one) => one.type === "transport")?.selectedCandidatePairId;
  const pairs = reports.filter((one) => one.type === "candidate-pair");
  return (
    pairs.find((one) => one.id === chosen) ??
    pairs.find((one) => one.selected) ??
    pairs.find((one) => one.nominated)
  );
}
