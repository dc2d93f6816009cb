/** Plays the films of one recording in step; without it each still plays by itself. */

const APART_SECONDS = 0.25;

/** @param {HTMLVideoElement[]} films */
function keepInStep(films) {
  const [first, ...others] = films;
  first?.addEventListener("timeupdate", () => {
    for (const film of others) {
      if (Math.abs(film.currentTime - first.currentTime) > APART_SECONDS && !film.ended) {
        film.currentTime = first.currentTime;
      }
    }
  });
  first?.addEventListener("pause", () => others.forEach((film) => film.pause()));
}

for (const recording of document.querySelectorAll("[data-recording]")) {
  const films = /** @type {HTMLVideoElement[]} */ ([...recording.querySelectorAll("video")]);
  const button = recording.querySelector("[data-together]");
  if (!(button instanceof HTMLElement) || films.length < 2) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    // The longest leads: where a shorter one has ended, the others go on.
    films.sort((one, other) => (other.duration || 0) - (one.duration || 0));
    if (!button.dataset.bound) keepInStep(films);
    button.dataset.bound = "yes";
    for (const film of films) {
      film.currentTime = 0;
      void film.play();
    }
  });
}
