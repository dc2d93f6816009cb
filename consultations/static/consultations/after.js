/** @param {number} ms @returns {Promise<void>} */
export function after(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
