/** Draws who is seen: one seat a connection, one for each shared screen, and one's own. */

import { announce } from "../telemed/js/announce.js";
import { Lateness } from "./lateness.js";
import { copy, one, word } from "./words.js";

/** @typedef {import("./signal.js").Person} Person */
/** @typedef {{mid: string, kind: string, participant: string | null, source: string | null}} Shown */

const STALE_MS = 2000;
/** Younger than this a late picture is live again. */
const FRESH_MS = 1500;
/** Stills come every four seconds; one older than this says that no more come. */
const OLD_STILL_MS = 12_000;

/** One seat: a picture that says by itself, when it is two seconds old, that it is not live: no other
 * came, or they come late. */
class Seat {
  /** When the last frame would have come, had it been prompt. */ #lastFrame = 0;
  /** Milliseconds after that it came. */ #late = 0;
  #lateness = new Lateness();
  #frames = 0;
  #lookedAt = 0;
  #expected = false;
  #still = false;
  #watched = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  /** @param {string} key */
  constructor(key) {
    this.key = key;
    this.root = copy("t-seat");
    this.video = /** @type {HTMLVideoElement} */ (one(this.root, "video"));
  }

  /** @param {MediaStreamTrack[]} tracks */
  play(tracks) {
    const stream = this.video.srcObject;
    const playing = stream instanceof MediaStream ? stream.getTracks() : [];
    if (tracks.length === playing.length && tracks.every((track) => playing.includes(track))) return;
    this.video.srcObject = new MediaStream(tracks);
    this.#lateness = new Lateness();
    this.#watch();
    void this.video.play().catch(() => {
      // Sound before any tap: the page offers the tap (`needsTap`).
    });
  }

  /** One's own picture comes from no link. */
  #watch() {
    if (this.key === "own" || this.#watched || !("requestVideoFrameCallback" in this.video)) return;
    this.#watched = true;
    /** @type {VideoFrameRequestCallback} */
    const seen = (_, { rtpTimestamp }) => {
      this.#seen(rtpTimestamp);
      this.video.requestVideoFrameCallback(seen);
    };
    this.video.requestVideoFrameCallback(seen);
  }

  /** @param {number | undefined} stamp */
  #seen(stamp) {
    const first = this.#lastFrame === 0;
    const now = performance.now();
    this.#late = this.#lateness.take(stamp, now);
    this.#lastFrame = now - this.#late;
    if (first || this.#still || this.#isStale || this.#late >= this.#limit) this.#draw();
    this.#timer ??= setTimeout(() => this.#look(), this.#limit);
  }

  /** When the last frame turns two seconds old. A page in the background is told of no frame: it
   * counts, and takes what came since the last look for as old as that look. */
  #look() {
    this.#timer = undefined;
    const { totalVideoFrames = 0 } = this.video.getVideoPlaybackQuality?.() ?? {};
    const more = totalVideoFrames > this.#frames;
    if (document.hidden && more) this.#lastFrame = Math.max(this.#lastFrame, this.#lookedAt);
    this.#frames = totalVideoFrames;
    this.#lookedAt = performance.now();
    const left = this.#limit - (this.#lookedAt - this.#lastFrame);
    if (left <= 0) this.#draw();
    else this.#timer = setTimeout(() => this.#look(), document.hidden ? Math.min(left, 500) : left);
  }

  get #limit() {
    if (this.#still) return OLD_STILL_MS;
    return this.#isStale ? FRESH_MS : STALE_MS;
  }

  get #isStale() {
    return this.root.classList.contains("stale");
  }

  /** @param {boolean} expected whether a picture ought to come @param {boolean} still one that is
   * renewed every few seconds */
  expect(expected, still) {
    const otherLimit = still !== this.#still;
    this.#expected = expected;
    this.#still = still;
    if (otherLimit && this.#lastFrame > 0) {
      clearTimeout(this.#timer);
      this.#look();
    }
    this.#draw();
  }

  #draw() {
    const pictured = this.#expected && this.#lastFrame > 0;
    const stale = pictured && performance.now() - this.#lastFrame >= this.#limit;
    const still = pictured && this.#still;
    if (still || stale) this.#tellStale();
    this.root.classList.toggle("stale", stale);
    this.root.classList.toggle("still", still && !stale);
    this.root.classList.toggle("pictured", pictured);
    one(this.root, ".person-mark").hidden = pictured;
    this.video.classList.toggle("blank", !this.#expected);
  }

  #tellStale() {
    const age = performance.now() - this.#lastFrame;
    const at = new Date(Date.now() - age);
    const stopped = age - this.#late;
    const moves = !this.#still && stopped < STALE_MS;
    if (moves) this.#timer ??= setTimeout(() => this.#look(), STALE_MS - stopped);
    const words = word(moves ? "late" : "stale", { time: at.toLocaleTimeString("fr", { hour12: false }) });
    one(this.root, "[data-stale]").textContent = words;
    // The small window shows the picture alone, without the words: it must not pass for live.
    if (document.pictureInPictureElement === this.video) {
      void document.exitPictureInPicture();
      announce(words);
    }
  }
}

/** The stage. Give it tracks, slots and people in any order; it draws what they add up to. */
export class Stage {
  /** @type {Map<string, Seat>} */ #seats = new Map();
  /** @type {Map<string, MediaStreamTrack>} */ #tracks = new Map();
  /** @type {Shown[]} */ #shown = [];
  /** @type {Person[]} */ #people = [];
  /** @type {Map<string, string>} */ #links = new Map();
  /** @type {Map<string, string>} */ #modes = new Map();
  #you = "";
  #speaker = "";
  #sink = "";
  #covered = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.own = new Seat("own");
    this.own.root.classList.add("own");
    this.own.video.muted = true;
    one(this.own.root, ".person-mark").hidden = true;
    one(this.own.root, "[data-name]").textContent = word("you");
    root.append(this.own.root);
    makeMovable(this.own.root);
  }

  /** @param {{mid: string, track: MediaStreamTrack}} slot */
  addTrack({ mid, track }) {
    this.#tracks.set(mid, track);
    this.draw();
  }

  forgetTracks() {
    this.#tracks.clear();
    this.#shown = [];
    this.draw();
  }

  /** @param {Shown[]} shown */
  map(shown) {
    this.#shown = shown;
    this.draw();
  }

  /** @param {Person[]} people @param {string} you */
  seat(people, you) {
    this.#people = people;
    this.#you = you;
    this.#links = new Map(people.map((person) => [person.id, person.link]));
    this.#modes = new Map(people.map((person) => [person.id, person.sends]));
    this.draw();
  }

  /** What somebody's camera sends from now on. @param {string} participant @param {string} mode */
  sends(participant, mode) {
    this.#modes.set(participant, mode);
    this.draw();
  }

  /** @param {string} participant @param {string} state */
  link(participant, state) {
    this.#links.set(participant, state);
    this.draw();
  }

  /** @param {string | null} participant */
  speaks(participant) {
    this.#speaker = participant ?? "";
    for (const seat of this.#seats.values()) {
      seat.root.classList.toggle("speaking", seat.key === this.#speaker);
    }
  }

  /** @param {MediaStream} stream */
  showOwn(stream) {
    this.own.play(stream.getVideoTracks());
    this.own.root.hidden = stream.getVideoTracks().length === 0;
  }

  /** Nobody is seen or heard, whatever still arrives. @param {boolean} covered */
  cover(covered) {
    this.#covered = covered;
    this.root.classList.toggle("covered", covered);
    for (const { video } of this.#seats.values()) video.muted = covered;
  }

  /** @param {string} id of an audio output */
  async speakTo(id) {
    this.#sink = id;
    await Promise.all([...this.#seats.values()].map((seat) => setSink(seat.video, id)));
  }

  /** What others send at the moment. @returns {{video: boolean, audio: boolean, cameras: string[]}}
   * `cameras`: the sections in which pictures of people ought to move */
  get expected() {
    const others = this.#others();
    const moving = others.filter((person) => this.#sends(person, "video"));
    return {
      video: moving.length > 0,
      cameras: moving.flatMap(({ id }) => this.#slotOf(id, "video")?.mid ?? []),
      audio: others.some((person) => this.#sends(person, "audio")),
    };
  }

  /** @returns {boolean} whether the browser holds the sound back until somebody taps */
  get needsTap() {
    return [...this.#seats.values()].some(
      ({ video }) => video.paused && video.srcObject instanceof MediaStream,
    );
  }

  async tapped() {
    await Promise.all([...this.#seats.values()].map(({ video }) => video.play().catch(() => {})));
  }

  /** The picture of whoever is seen first, for the small window. */
  get first() {
    return [...this.#seats.values()][0]?.video ?? null;
  }

  #others() {
    const you = this.#people.find((person) => person.id === this.#you);
    return this.#people.filter(
      (person) => person.id !== this.#you && !person.beside && person.id !== you?.beside,
    );
  }

  /** @param {Person} person @param {"audio" | "video" | "screen"} kind */
  #sends(person, kind) {
    if (kind === "video" && ["still", "voice"].includes(this.#modes.get(person.id) ?? "")) return false;
    return this.#links.get(person.id) === "connected" && !person.muted.includes(kind);
  }

  draw() {
    const keys = new Set();
    for (const person of this.#others()) {
      keys.add(person.id);
      this.#drawPerson(person);
      const screen = this.#trackOf(person.id, "screen");
      if (screen && !person.muted.includes("screen")) {
        keys.add(`${person.id}/screen`);
        this.#drawScreen(person, screen);
      }
    }
    for (const [key, seat] of this.#seats) {
      if (!keys.has(key)) {
        seat.root.remove();
        this.#seats.delete(key);
      }
    }
    this.#expectPictures();
  }

  /** @param {Person} person */
  #drawPerson(person) {
    const seat = this.#seat(person.id);
    const with_ = this.#people.filter((other) => other.beside === person.id);
    const names = [...with_, person].map((each) => each.name);
    one(seat.root, "[data-name]").textContent = names.join(" · ");
    one(seat.root, ".person-mark").textContent = initials(names[0] ?? "");
    one(seat.root, "[data-muted]").hidden = !person.muted.includes("audio");
    const tracks = [this.#trackOf(person.id, "video"), this.#trackOf(person.id, "audio")];
    seat.play(tracks.filter((track) => track !== undefined));
  }

  /** @param {Person} person @param {MediaStreamTrack} track */
  #drawScreen(person, track) {
    const seat = this.#seat(`${person.id}/screen`);
    seat.root.classList.add("screen");
    one(seat.root, "[data-name]").textContent = word("screen-of", { name: person.name });
    seat.play([track]);
  }

  /** @param {string} key */
  #seat(key) {
    let seat = this.#seats.get(key);
    if (!seat) {
      seat = new Seat(key);
      this.#seats.set(key, seat);
      seat.video.muted = this.#covered;
      this.own.root.before(seat.root);
      void setSink(seat.video, this.#sink);
    }
    return seat;
  }

  /** @param {string} participant @param {string} source */
  #slotOf(participant, source) {
    return this.#shown.find((one) => one.participant === participant && one.source === source);
  }

  /** @param {string} participant @param {string} source */
  #trackOf(participant, source) {
    const slot = this.#slotOf(participant, source);
    return slot && this.#tracks.get(slot.mid);
  }

  #expectPictures() {
    for (const seat of this.#seats.values()) {
      const [id, screen] = seat.key.split("/");
      const person = this.#people.find((each) => each.id === id);
      const shown = person !== undefined && !person.muted.includes(screen ? "screen" : "video");
      const mode = (!screen && this.#modes.get(id ?? "")) || "full";
      const track = this.#trackOf(id ?? "", screen ?? "video");
      seat.expect(shown && mode !== "voice" && track !== undefined, mode === "still");
    }
  }
}

/** @param {string} name */
function initials(name) {
  const words = name.split(/\s+/).filter((each) => !/^(dr|pr|د|م)\.?$/i.test(each));
  const [first = "", last = ""] = [words[0]?.[0], words.length > 1 ? words.at(-1)?.[0] : ""];
  return first > "\u0590" ? first : first + last;
}

/** @param {HTMLVideoElement} video @param {string} id */
async function setSink(video, id) {
  if (id && "setSinkId" in video) await video.setSinkId(id).catch(() => {});
}

/** The own picture may be in the way of what must be seen: it can be dragged. @param {HTMLElement} element */
function makeMovable(element) {
  let [x, y, startX, startY] = [0, 0, 0, 0];
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    [startX, startY] = [event.clientX - x, event.clientY - y];
  });
  element.addEventListener("pointermove", (event) => {
    if (!element.hasPointerCapture(event.pointerId)) return;
    [x, y] = [event.clientX - startX, event.clientY - startY];
    element.style.translate = `${x}px ${y}px`;
  });
}

