/** What an event of ours carries. @param {Event} event @returns {any} */
export function detail(event) {
  return /** @type {CustomEvent} */ (event).detail;
}
