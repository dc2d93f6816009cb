// What makes pages pleasanter and is never needed: dialogs, theme, where the focus goes.

/** @type {HTMLAudioElement | null} */
let playing = null;

/** A second press on a "Listen" button stops it. @param {string} source */
function listen(source) {
  const again = playing !== null && !playing.ended && playing.dataset.source === source;
  playing?.pause();
  playing = null;
  if (again) return;
  playing = new Audio(source);
  playing.dataset.source = source;
  void playing.play();
}

/** @param {Event} event */
function onClick(event) {
  if (!(event.target instanceof Element)) return;
  const spoken = event.target.closest("[data-listen]");
  if (spoken instanceof HTMLElement) {
    listen(spoken.dataset.listen ?? "");
    return;
  }
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    const dialog = document.getElementById(opener.getAttribute("data-opens") ?? "");
    if (dialog instanceof HTMLDialogElement) {
      event.preventDefault();
      dialog.showModal();
    }
    return;
  }
  const dialog = event.target.closest("dialog");
  const onBackdrop = event.target === dialog;
  if (dialog && (onBackdrop || event.target.closest("[data-closes]"))) dialog.close();
}

/** A choice made here wins over the system's, for a year, on every page. */
function themeToggle() {
  const button = document.querySelector("[data-theme-toggle]");
  const sheet = document.getElementById("dark");
  if (!(button instanceof HTMLElement) || !(sheet instanceof HTMLLinkElement)) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const theme = matchMedia(sheet.media).matches ? "light" : "dark";
    sheet.media = theme === "dark" ? "screen" : "not all";
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  });
}

document.addEventListener("click", onClick);
themeToggle();
const first = document.querySelector("[data-focus]");
if (first instanceof HTMLElement) first.focus();
