// How long a time is still kept. The server says how many seconds; the clock of the phone is
// never asked, only how much time went by.

const shown = document.querySelector("[data-countdown]");
if (shown instanceof HTMLElement) {
  const end = performance.now() + Number(shown.dataset.countdown) * 1000;
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    shown.textContent = `(${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")})`;
    if (left > 0) setTimeout(tick, 1000);
  };
  tick();
}
