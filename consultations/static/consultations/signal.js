/**
 * The room's protocol (PROTOCOL.md) from the browser's side: tickets, hello, snapshots, ids and
 * coming back. No document, no media: the page listens to events and calls `change`.
 */

/**
 * @typedef {"given" | "refused" | "withdrawn" | "none" | "not-needed"} ConsentState
 * @typedef {{id: string, name: string, role: string, consent: ConsentState}} Carried
 * @typedef {object} You
 * @property {string} id
 * @property {string} role
 * @property {string} name
 * @property {string} state
 * @property {number} waited seconds
 * @property {ConsentState} consent
 * @property {Carried[]} carries
 * @property {boolean} waiting_elsewhere
 * @typedef {{id: string, name: string, capacity: string, on_camera: boolean}} Present
 * @typedef {object} Person
 * @property {string} id
 * @property {string} name
 * @property {string} role
 * @property {string} state
 * @property {boolean} verified
 * @property {string | null} beside
 * @property {ConsentState} consent
 * @property {string[]} muted
 * @property {"connected" | "reconnecting" | "gone"} link
 * @property {string} sends a mode of ladder.js
 * @property {Present[]} present
 * @typedef {object} Waiting
 * @property {string} id
 * @property {string} name
 * @property {string} role
 * @property {number} waited seconds
 * @property {boolean} verified
 * @property {ConsentState} consent
 * @property {boolean} elsewhere
 * @property {string[]} carries
 * @typedef {{id: string, author: string, name: string, text: string, at: string,
 *   to: string | null, mine: boolean}} ChatMessage
 * @typedef {{identified: string | null, started_at: string | null, mode: string,
 *   override: boolean, phone: string | null, phone_confirmed: boolean}} Visit
 * @typedef {{place: string, place_confirmed: boolean, phone: string, phone_confirmed: boolean,
 *   contact: string, number: string, hospital: string, hospital_phone: string,
 *   calls_back: string}} Emergency
 * @typedef {{id: string, name: string, consent: ConsentState, taken: boolean,
 *   speakers: {id: string, name: string}[]}} Recorded
 * @typedef {{version: string, language: string, sha256: string, words: string}} RecordingText
 * @typedef {{offered: boolean, asked: boolean, on: boolean, since: string | null,
 *   why: string | null, taken: boolean, text: RecordingText | null, missing: string[],
 *   here: Recorded[]}} Recording
 * @typedef {{id: string, participant: string, name: string, site: string, side: string,
 *   state: "asked" | "sending" | "checking" | "ready" | "refused" | "cancelled" | "failed",
 *   bytes: number, sha256: string, at: string, url: string | null}} Picture
 * @typedef {object} Snapshot
 * @property {number} number
 * @property {string} room
 * @property {You} you
 * @property {ChatMessage[]} messages
 * @property {{place: number, minutes: number}} [queue]
 * @property {boolean} [specialist_knows] the specialist has been shown that this person waits
 * @property {Person[]} [people]
 * @property {Waiting[]} [waiting]
 * @property {Visit} [visit]
 * @property {Emergency | null} [emergency]
 * @property {Recording | null} [recording]
 * @property {Picture[]} [pictures]
 * @typedef {{url: string, ticket: string, protocol: number}} Ticket
 * @typedef {{code: string, message: string}} Refusal
 * @typedef {"connecting" | "open" | "away" | "ended"} LinkState
 * @typedef {"unwelcome" | "replaced" | "removed" | "finished" | "changed" | "refused"} EndReason
 */

export const PROTOCOL = 1;
const SILENCE_MS = 35_000;
const PROBE_MS = 1_800;
const TICKET_MS = 8_000;
const ANSWER_MS = 8_000;
/** From the making of a socket to `welcome`: a process that hangs would keep it opening for minutes. */
const WELCOME_MS = 7_000;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5_000;
const TICKET_TRIES = 3;
const TOO_FAST_WAIT_MS = 10_000;
const FULL_WAIT_MS = 5_000;

/** @type {Record<number, EndReason>} */
const ENDINGS = { 4000: "unwelcome", 4002: "replaced", 4003: "removed", 4004: "finished", 4008: "changed" };

/** A change that the room refused. */
export class Refused extends Error {
  /** @param {Refusal} refusal */
  constructor(refusal) {
    super(refusal.message);
    this.code = refusal.code;
  }
}

/** A change in whose place a newer one was asked for. */
export class Superseded extends Error {}

/** Why the room refused something; "" for any other trouble. @param {unknown} error */
export function codeOf(error) {
  return error instanceof Refused ? error.code : "";
}

/**
 * Events, each a CustomEvent: `link` (LinkState), `snapshot` (Snapshot), `hint` (a server message
 * of type link, slots, speaker, quality, layers or picture), `moved` (the room is on another media
 * process, which knows nothing of this one's connection), `ended` ({reason: EndReason, refusal?: Refusal}).
 */
export class Signal extends EventTarget {
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {Map<string, {message: {type: string}, settle: (answer: any) => void,
   *   drop: () => void}>} */
  #open = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #retry;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #pinging;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #probing;
  /** Counts the tries to connect: what belongs to an older one is heard no more. */
  #attempt = 0;
  /** Which process this browser last spoke to, and in which of its lives. */
  #home = "";
  #number = 0;
  #heardAt = 0;
  #wait = FIRST_WAIT_MS;
  #ticketsRefused = 0;
  #ended = false;
  #welcomed = false;

  /** @param {() => Promise<Ticket>} askTicket rejects with `Refused` when the page says no */
  constructor(askTicket) {
    super();
    this.askTicket = askTicket;
    // It comes after a time without any network: what was open then leads from a lost address.
    globalThis.addEventListener?.("online", () => {
      if (!this.#ended && this.#attempt > 0) this.#connectAnew();
    });
    globalThis.addEventListener?.("pageshow", () => this.probe());
    globalThis.document?.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.probe();
    });
  }

  start() {
    void this.#connect();
  }

  /** Leave without a word, as a closed page does; the place in the room is kept. */
  stop() {
    this.#end("replaced", undefined, false);
  }

  /**
   * Ask for a change. Sent again after a reconnect until it is answered; `id` makes the repeat
   * harmless. Rejects with `Refused`, or with `Superseded` when it was dropped.
   * @param {string} type @param {object} [fields] @returns {Promise<any>} the answer
   */
  change(type, fields = {}) {
    const id = crypto.randomUUID();
    const message = { type, id, ...fields };
    return new Promise((resolve, reject) => {
      const again = setTimeout(() => this.#send(message), ANSWER_MS);
      const close = () => {
        clearTimeout(again);
        this.#open.delete(id);
      };
      const settle = (/** @type {any} */ answer) => {
        close();
        if (answer.type === "refused") reject(new Refused(answer));
        else resolve(answer);
      };
      const drop = () => {
        close();
        reject(new Superseded());
      };
      this.#open.set(id, { message, settle, drop });
      this.#send(message);
    });
  }

  /** What was asked of this kind is asked no more, and its answer not waited for.
   * @param {string} type */
  drop(type) {
    for (const { message, drop } of [...this.#open.values()]) if (message.type === type) drop();
  }

  /** Say that somebody is here. */
  ping() {
    this.#send({ type: "ping" });
  }

  /** Ask for the snapshot, though no change of the room has raised its number. */
  look() {
    this.#send({ type: "snapshot" });
  }

  /**
   * Does the link still carry anything? A socket may look open for minutes after it died: what
   * does not answer soon is made anew, and who waits for the next try waits no longer.
   */
  probe() {
    if (this.#ended || this.#attempt === 0) return;
    if (this.#retry !== undefined) {
      this.#connectAnew();
      return;
    }
    if (this.#probing !== undefined) return;
    const [attempt, heardAt] = [this.#attempt, this.#heardAt];
    this.#send({ type: "ping" });
    this.#probing = setTimeout(() => {
      this.#probing = undefined;
      if (attempt === this.#attempt && heardAt === this.#heardAt) this.#connectAnew();
    }, PROBE_MS);
  }

  /** @param {object} message */
  #send(message) {
    if (this.#welcomed && this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(message));
    }
  }

  async #connect() {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const attempt = ++this.#attempt;
    this.#tellLink("connecting");
    let ticket;
    try {
      ticket = await this.askTicket();
    } catch (error) {
      if (attempt !== this.#attempt) return;
      if (codeOf(error) === "full") {
        this.dispatchEvent(new CustomEvent("full", { detail: error }));
        this.#comeBack(FULL_WAIT_MS);
      } else if (error instanceof Refused && error.code !== "unavailable") {
        this.#end("refused", { code: error.code, message: error.message });
      } else {
        this.#comeBack();
      }
      return;
    }
    if (this.#ended || attempt !== this.#attempt) return;
    const address = new URL(ticket.url, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    this.#socket = socket;
    setTimeout(() => {
      if (socket !== this.#socket || this.#welcomed) return;
      this.#comeBack();
      socket.close();
    }, WELCOME_MS);
    socket.addEventListener("open", () => {
      socket.send(JSON.stringify({ type: "hello", ticket: ticket.ticket, protocol: PROTOCOL }));
    });
    socket.addEventListener("message", (event) => {
      if (socket === this.#socket) this.#take(JSON.parse(event.data), ticket.url);
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#closed(event);
    });
  }

  /** @param {any} message @param {string} url of the socket it came by */
  #take(message, url) {
    this.#heardAt = performance.now();
    if (message.type === "welcome") this.#welcome(message, `${url} ${message.epoch}`);
    else if (message.type === "snapshot") this.#snapshot(message);
    else if (message.type === "pong") {
      if (message.number > this.#number) this.#send({ type: "snapshot" });
    } else if ("re" in message) this.#open.get(message.re)?.settle(message);
    else this.dispatchEvent(new CustomEvent("hint", { detail: message }));
  }

  /** @param {{ping_seconds: number}} welcome @param {string} home */
  #welcome(welcome, home) {
    this.#welcomed = true;
    this.#wait = FIRST_WAIT_MS;
    this.#ticketsRefused = 0;
    clearInterval(this.#pinging);
    this.#pinging = setInterval(() => this.#ping(), welcome.ping_seconds * 1000);
    this.#tellLink("open");
    if (this.#home !== "" && this.#home !== home) this.dispatchEvent(new CustomEvent("moved"));
    this.#home = home;
    for (const { message } of this.#open.values()) this.#send(message);
  }

  /** @param {Snapshot} snapshot an older one than was shown is nothing new */
  #snapshot(snapshot) {
    if (snapshot.number < this.#number) return;
    this.#number = snapshot.number;
    this.dispatchEvent(new CustomEvent("snapshot", { detail: snapshot }));
  }

  /** A socket that looks open may be dead for minutes; what does not answer is closed by us. */
  #ping() {
    if (performance.now() - this.#heardAt > SILENCE_MS) {
      this.#connectAnew();
      return;
    }
    this.#send({ type: "ping" });
  }

  /** @param {CloseEvent} event */
  #closed(event) {
    const reason = ENDINGS[event.code];
    if (reason) {
      this.#end(reason);
    } else if (isTicketBad(event) && ++this.#ticketsRefused >= TICKET_TRIES) {
      this.#end("unwelcome");
    } else if (event.code === 4005) {
      this.#home = "elsewhere";
      this.#comeBack(Math.random() * within(event.reason) * 1000);
    } else {
      this.#comeBack(event.code === 4006 ? TOO_FAST_WAIT_MS : undefined);
    }
  }

  /** @param {number} [after] milliseconds; by default longer each time */
  #comeBack(after) {
    if (this.#ended) return;
    this.#welcomed = false;
    this.#socket = null;
    clearInterval(this.#pinging);
    this.#tellLink("away");
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#connect(), after ?? this.#wait);
    if (after === undefined) this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }

  #connectAnew() {
    const dead = this.#socket;
    this.#wait = FIRST_WAIT_MS;
    this.#comeBack(0);
    dead?.close();
  }

  /** @param {EndReason} reason @param {Refusal} [refusal] @param {boolean} [tell] */
  #end(reason, refusal, tell = true) {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#probing);
    clearInterval(this.#pinging);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    for (const { settle } of [...this.#open.values()]) {
      settle({ type: "refused", code: "ended", message: "" });
    }
    this.#tellLink("ended");
    if (tell) this.dispatchEvent(new CustomEvent("ended", { detail: { reason, refusal } }));
  }

  /** @param {LinkState} state */
  #tellLink(state) {
    this.dispatchEvent(new CustomEvent("link", { detail: state }));
  }
}

/** One that could not be looked at is not. @param {CloseEvent} event */
function isTicketBad({ code, reason }) {
  return code === 4001 && reason !== "unavailable";
}

/** @param {string} reason @returns {number} seconds */
function within(reason) {
  try {
    return Number(JSON.parse(reason).within) || 1;
  } catch {
    return 1;
  }
}

/**
 * Ask the page's own address for a ticket.
 * @param {string} url @param {string} csrfToken @returns {Promise<Ticket>}
 */
export async function askTicket(url, csrfToken) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "X-CSRFToken": csrfToken, Accept: "application/json" },
    signal: AbortSignal.timeout(TICKET_MS),
  });
  const type = response.headers.get("Content-Type") ?? "";
  if (!type.startsWith("application/json")) {
    if (response.status >= 500) throw new Error(`no ticket: ${response.status}`);
    throw new Refused({ code: "signed_out", message: "" });
  }
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer);
  return answer;
}
