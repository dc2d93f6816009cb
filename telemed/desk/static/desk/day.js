// Tells whoever has a day page open that somebody came: in the title, and by sound once allowed.

const CHIME = [659.25, 880]; // hertz
const NOTE_S = 0.18;
const plainTitle = document.title;
const button = document.querySelector("[data-sound]");
/** @type {AudioContext | null} */
let audio = null;
let known = alertCount();

function alertCount() {
  return Number(document.getElementById("day")?.dataset.alert ?? 0);
}

function chime() {
  if (!audio) return;
  for (const [position, pitch] of CHIME.entries()) {
    const at = audio.currentTime + position * NOTE_S;
    const tone = new OscillatorNode(audio, { frequency: pitch });
    const volume = new GainNode(audio, { gain: 0 });
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.2, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 2 * NOTE_S);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 2 * NOTE_S);
  }
}

function update() {
  const count = alertCount();
  document.title = count ? `(${count}) ${plainTitle}` : plainTitle;
  if (count > known) chime();
  known = count;
}

/** A browser lets a page sound only after a tap: the button is that tap. */
function soundButton() {
  if (!(button instanceof HTMLElement)) return;
  const word = button.querySelector("span");
  const show = () => {
    button.setAttribute("aria-pressed", String(audio !== null));
    if (word) word.textContent = (audio ? button.dataset.on : button.dataset.off) ?? "";
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    if (audio) {
      audio.close();
      audio = null;
    } else {
      audio = new AudioContext();
      chime();
    }
    show();
  });
  show();
}

/** The board opens at the running hour, and a swap leaves it where it was scrolled to. */
let scrolled = -1;
const board = () => document.querySelector(".board");

function keepScroll() {
  scrolled = board()?.scrollLeft ?? scrolled;
}

function placeBoard() {
  const drawn = board();
  const now = drawn?.querySelector(".board-now");
  if (!drawn) return;
  const names = drawn.querySelector(".board-row > :first-child")?.clientWidth ?? 0;
  const hour = now instanceof HTMLElement ? now.offsetLeft - names - drawn.clientWidth / 8 : 0;
  drawn.scrollLeft = scrolled < 0 ? Math.max(0, hour) : scrolled;
}

document.addEventListener("htmx:beforeSwap", keepScroll);
document.addEventListener("htmx:afterSwap", () => {
  placeBoard();
  update();
});
placeBoard();
soundButton();
update();
