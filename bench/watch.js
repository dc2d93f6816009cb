// What a person sees and hears in a call, noted from outside of the page's own code: run before it.
// Moments are milliseconds since 1970, comparable between browsers of one machine.

globalThis.watching = (() => {
  const SOUND_MS = 50;
  const RATE_MS = 1000;
  const STALL_MS = 100;
  const now = () => performance.timeOrigin + performance.now();

  // A page may make a connection in a frame of its own: what is made there is noted here.
  /** @type {RTCPeerConnection[]} */ const connections = (globalThis.top.connectionsMade ??= []);
  const Native = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Native {
    constructor(...given) {
      super(...given);
      connections.push(this);
    }
  };
  const open = () => connections.filter((each) => each.signalingState !== "closed");
  const receivers = (kind) =>
    open().flatMap((each) => each.getReceivers().filter((one) => one.track.kind === kind));

  /** @type {WebSocket[]} */ const sockets = [];
  const news = []; // when each socket first said something
  const Socket = globalThis.WebSocket;
  globalThis.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given);
      sockets.push(this);
      this.addEventListener("message", () => news.push(now()), { once: true });
    }
  };

  const clicks = []; // on "Let in"
  const frames = []; // [when, width, height] of each remote frame shown
  const sounds = []; // when sound of a new packet was played
  const rates = []; // [when, bytes of received video]
  const stalls = []; // [from, to]: the page itself stood still

  document.addEventListener(
    "click",
    (event) => {
      if (event.target.closest?.("[data-act=admit]")) clicks.push(now());
    },
    true,
  );

  const watched = new WeakSet();
  const remote = new WeakSet();
  const isRemote = (track) => {
    if (track && !remote.has(track) && receivers("video").some((one) => one.track === track)) {
      remote.add(track);
    }
    return remote.has(track);
  };
  function watch(video) {
    if (watched.has(video)) return;
    watched.add(video);
    const note = () => {
      const track = video.srcObject?.getVideoTracks()[0];
      if (track && isRemote(track)) frames.push([now(), video.videoWidth, video.videoHeight]);
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
  }
  new MutationObserver(() => document.querySelectorAll("video").forEach(watch)).observe(document, {
    childList: true,
    subtree: true,
  });

  const heard = new Map();
  setInterval(() => {
    for (const receiver of receivers("audio")) {
      const newest = receiver.getSynchronizationSources()[0]?.rtpTimestamp;
      if (newest === undefined || heard.get(receiver) === newest) continue;
      heard.set(receiver, newest);
      sounds.push(now());
    }
  }, SOUND_MS);

  let ticked = now();
  setInterval(() => {
    const tick = now();
    if (tick - ticked > STALL_MS) stalls.push([ticked, tick]);
    ticked = tick;
  }, 20);

  const FIELDS = [
    "kind", "packetsReceived", "bytesReceived", "concealedSamples", "totalSamplesReceived",
    "framesDecoded", "totalFreezesDuration", "frameWidth", "frameHeight",
  ];

  /** Each received stream's counters by connection and name. */
  async function read() {
    const inbound = {};
    for (const [index, connection] of connections.entries()) {
      if (connection.signalingState === "closed") continue;
      for (const report of (await connection.getStats()).values()) {
        if (report.type !== "inbound-rtp") continue;
        inbound[`${index} ${report.id}`] = Object.fromEntries(
          FIELDS.filter((field) => field in report).map((field) => [field, report[field]]),
        );
      }
    }
    return { at: now(), inbound };
  }
  setInterval(async () => {
    const { at, inbound } = await read();
    const bytes = Object.values(inbound)
      .filter((one) => one.kind === "video")
      .reduce((total, one) => total + (one.bytesReceived ?? 0), 0);
    rates.push([at, bytes]);
  }, RATE_MS);

  const after = (list, moment) => list.filter((each) => (each[0] ?? each) >= moment);
  return {
    read,
    now,
    connections: open,
    clicked: () => clicks.at(-1) ?? null,
    firstFrame: (moment) => frames.find(([at]) => at > moment)?.[0] ?? null,
    firstSound: (moment) => sounds.find((at) => at > moment) ?? null,
    firstNews: (moment) => news.find((at) => at > moment) ?? null,
    socketAddress: () => sockets.at(-1)?.url ?? "",
    dropSocket: () => {
      const moment = now();
      sockets.at(-1)?.close();
      return moment;
    },
    since: (moment) => ({
      frames: after(frames, moment),
      sounds: after(sounds, moment),
      rates: after(rates, moment),
      stalls: after(stalls, moment),
    }),
  };
})();
