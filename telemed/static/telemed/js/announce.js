// One polite live region for the whole page: seen as a toast, read aloud once.

const SHOWN_MS = 6000;

/** @param {string} text @param {number} [shownMs] */
export function announce(text, shownMs = SHOWN_MS) {
  const region = document.getElementById("toasts");
  if (!region) return;
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.textContent = text;
  region.append(toast);
  setTimeout(() => toast.remove(), shownMs);
}
