"""A process of the load: it sends what `traffic` has prepared when it is due, and notes what comes.

Packets of all sessions leave through one socket, each from its own address, so that a moment's
packets cost one system call. What arrives is read every 5 ms, with the kernel's time of arrival:
how late this process reads says nothing about the server.
"""

from __future__ import annotations

import asyncio
import bisect
import ctypes
import gc
import heapq
import itertools
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pylibsrtp

from bench.forwarding import mmsg, reports
from bench.forwarding.legs import Person, Wire
from bench.forwarding.traffic import AUDIO, OPUS, PACKETS_PER_SECOND, VIDEO, Traffic, read_label

if TYPE_CHECKING:
    from bench.forwarding.stage import Door

TICK = 0.00025  # how exactly a packet leaves when it is due
READ_EVERY = 0.005
FEEDBACK_EVERY, REPORT_EVERY, NACK_EVERY, CHECK_EVERY, REMB_EVERY = 0.1, 1.0, 2.0, 2.5, 0.5
REMB_BITRATE = 5_000_000
CHECK_ONE_IN = 50
TAIL = 0.5
PR_SET_TIMERSLACK = 29


@dataclass
class Result:
    """What one load process saw in the window; delays in seconds."""

    sent: int
    expected: int
    forwarded: int
    delays: np.ndarray
    checked: int
    damaged: int
    cpu: float
    late: float
    refused: int
    key_frames: int
    nacked: int
    extra: int
    cipher: str


def generate(
    door: Door,
    sock: socket.socket,
    address: int,
    rooms: range,
    people: int,
    seconds: float,
    pipe: Any,
) -> None:
    """The life of a load process: enters the rooms, says "ready", waits for the start and the
    window, and answers with a `Result` (or the exception that ended it)."""
    try:
        wire = Wire(sock, address)
        persons = [Person(room, n) for room in rooms for n in range(people)]
        asyncio.run(_enter(door, wire, persons))
        for person in persons:
            person.sends = person.publishes_on.tx
        traffic = Traffic(persons, seconds + TAIL)
        traffic.protect()
        load = Load(wire, persons, traffic)
        pipe.send("ready")
        start, opens, closes = pipe.recv()
        pipe.send(load.run(start, opens, closes))
    except BaseException as error:  # noqa: BLE001 - the other end has to hear of it
        pipe.send(error)


async def _enter(door: Door, wire: Wire, people: list[Person]) -> None:
    wire.listen()
    await door.enter(wire, people)
    wire.rest()


class Load:
    def __init__(self, wire: Wire, people: list[Person], traffic: Traffic) -> None:
        self.wire, self.people, self.traffic = wire, people, traffic
        self.inbox = mmsg.Inbox(wire.sock)
        self.outbox = mmsg.Outbox(wire.sock, traffic.memory, traffic.offsets, traffic.lengths)
        legs = wire.legs
        index = {id(leg): n for n, leg in enumerate(legs)}
        publishing = np.array([index[id(p.publishes_on)] for p in people])
        addresses = np.array([leg.address for leg in legs])
        self.outbox.address(publishing[traffic.person], addresses, [leg.remote for leg in legs])
        self.sent_at = np.zeros(len(traffic))
        self.log = Log(int(len(traffic) * max(1, len(people) - 1) * 1.3) + 100_000)
        self.publisher_of = {index[id(p.publishes_on)]: n for n, p in enumerate(people)}
        self.viewers = [index[id(p.watches_on)] for p in people]
        self.samples: list[tuple[int, int]] = []  # place in the log, row of the traffic
        self.damaged = self.refused = self.key_frames = self.nacked = 0
        self._seen: set[int] = set()
        self._since_check = 0
        self._feedback_from = dict.fromkeys(range(len(legs)), 0)
        self._feedback_count = [0] * len(legs)
        self._last_reports: dict[int, tuple[int, float]] = {}
        self._next = 0

    def run(self, start: float, opens: float, closes: float) -> Result:
        """Sends from `start` on (wall clock) and judges what was sent from `opens` to `closes`."""
        ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0)
        gc.disable()
        due = (self.traffic.due + start).tolist()
        tasks = self._timetable(start)
        cpu_at: dict[float, float] = {}
        total, end, read_at = len(due), closes + TAIL, start
        while (now := time.time()) < end:
            if self._next < total and due[self._next] <= now:
                self._send(bisect.bisect_right(due, now, self._next), now)
            if now >= read_at:
                read_at = now + READ_EVERY
                self._read()
            while tasks[0][0] <= now:
                when, number, interval, action, leg = heapq.heappop(tasks)
                action(leg, now)
                heapq.heappush(tasks, (max(when + interval, now), number, interval, action, leg))
            for moment in (opens, closes):
                if now >= moment and moment not in cpu_at:
                    cpu_at[moment] = time.process_time()
            upcoming = due[self._next] if self._next < total else end
            time.sleep(max(TICK, min(upcoming, read_at) - time.time()))
        self._read()
        used = (cpu_at[closes] - cpu_at[opens]) / (closes - opens)
        return self._judge(np.array(due), opens, closes, used)

    def _send(self, last: int, now: float) -> None:
        first, self._next = self._next, last
        self.sent_at[first:last] = now
        self.refused += self.outbox.send(first, last)

    def _timetable(self, start: float) -> list[tuple[float, int, float, Callable[..., None], int]]:
        """A heap of what each session does from time to time, in random phases."""
        dice, numbers = random.Random(1), itertools.count()
        entries = []
        for leg in range(len(self.wire.legs)):
            entries.append((CHECK_EVERY, self._check, leg))
            if leg in self.publisher_of or leg in self.viewers:
                entries.append((REPORT_EVERY, self._report, leg))
            if leg in self.viewers:
                entries.append((FEEDBACK_EVERY, self._feed_back, leg))
                entries.append((NACK_EVERY, self._ask_again, leg))
                if not self.wire.legs[leg].sequence_extension:
                    entries.append((REMB_EVERY, self._estimate, leg))
        heap = [(start + dice.uniform(0, e), next(numbers), e, do, leg) for e, do, leg in entries]
        heapq.heapify(heap)
        return heap

    # What comes.

    def _read(self) -> None:
        while count := self.inbox.receive():
            heads = self.inbox.data[:count, :2]
            kinds = heads[:, 1]
            media = heads[:, 0] >> 6 == 2
            control = media & (kinds >= 192) & (kinds <= 223)
            legs = self.inbox.targets(count).astype(np.int64) - self.wire.first
            rows = np.flatnonzero(media & ~control)
            if len(rows):
                self._media(rows, legs[rows], self.inbox.times(count)[rows])
            for row in np.flatnonzero(control | ~media).tolist():
                self._control(row, int(legs[row]), bool(control[row]))
            if count < mmsg.SLOTS:
                return

    def _media(self, rows: np.ndarray, legs: np.ndarray, times: np.ndarray) -> None:
        inbox, log = self.inbox, self.log
        kinds = inbox.data[rows, 1] & 0x7F
        ssrcs = inbox.longs[rows, 2].astype(np.int64)
        first = log.add(
            legs, ssrcs, inbox.words[rows, 1], kinds, self._transport_numbers(rows, legs), times
        )
        chosen = list(range(-self._since_check % CHECK_ONE_IN, len(rows), CHECK_ONE_IN))
        self._since_check += len(rows)
        keys = legs << 32 | ssrcs
        for key, at in zip(
            *(part.tolist() for part in np.unique(keys, return_index=True)), strict=True
        ):
            if key not in self._seen:
                self._seen.add(key)
                chosen.append(at)
        for at in chosen:
            self._look_into(int(rows[at]), int(legs[at]), int(kinds[at]), first + at)

    def _transport_numbers(self, rows: np.ndarray, legs: np.ndarray) -> np.ndarray:
        """Transport-wide sequence numbers, -1 where there are none: first in its block mostly."""
        data = self.inbox.data
        tags = np.array([leg.sequence_extension << 4 | 1 for leg in self.wire.legs])[legs]
        numbers = data[rows, 17].astype(np.int64) << 8 | data[rows, 18]
        extended = data[rows, 0] & 0x1F == 0x10
        for at in np.flatnonzero(extended & (tags > 15) & (data[rows, 16] != tags)).tolist():
            numbers[at] = _find_number(data[rows[at]], int(tags[at]))
        numbers[~extended | (tags < 16)] = -1
        return numbers

    def _look_into(self, row: int, leg: int, kind: int, place: int) -> None:
        """Decrypts one packet and looks for the marker that was put into it."""
        session = self.wire.legs[leg]
        if kind in session.rtx:
            return
        length = int(self.inbox.lengths(row + 1)[row])
        try:
            plain = session.rx.unprotect(self.inbox.data[row, :length].tobytes())
        except pylibsrtp.Error as error:
            self.damaged += "replay" not in str(error)  # a voice packet may come twice
            return
        label = read_label(plain, VIDEO if length > 500 else AUDIO)
        if label is None:
            self.damaged += 1
        else:
            self.samples.append((place, label))

    def _control(self, row: int, leg: int, encrypted: bool) -> None:
        data = self.inbox.data[row, : int(self.inbox.lengths(row + 1)[row])].tobytes()
        session = self.wire.legs[leg]
        if not encrypted:
            if data and data[0] < 4:
                session.stun(data)
            return
        try:
            compound = session.rx.unprotect_rtcp(data)
        except pylibsrtp.Error:
            return
        for kind, count, body in reports.walk(compound):
            if kind == reports.PSFB and count in (1, 4) and leg in self.publisher_of:
                self._key_frame(self.publisher_of[leg])
            elif kind == reports.RTPFB and count == 1:
                self.nacked += 1
            elif kind == reports.SR:
                middle = int.from_bytes(body[6:10])
                self._last_reports[leg << 32 | int.from_bytes(body[:4])] = middle, time.time()

    def _key_frame(self, person: int) -> None:
        found = self.traffic.key_frame(person, self._next)
        if found is not None:
            self.key_frames += 1
            self.outbox.replace(*found)

    # What each session says from time to time.

    def _check(self, leg: int, now: float) -> None:
        session = self.wire.legs[leg]
        if session.remote_password:
            session.send(session.check())

    def _say(self, leg: int, packet: bytes) -> None:
        session = self.wire.legs[leg]
        session.send(session.tx.protect_rtcp(packet))

    def _feed_back(self, leg: int, now: float) -> None:
        log, begin = self.log, self._feedback_from[leg]
        self._feedback_from[leg] = log.count
        mine = begin + np.flatnonzero(log.leg[begin : log.count] == leg)
        mine = mine[log.number[mine] >= 0]
        if len(mine):
            count = self._feedback_count[leg]
            self._feedback_count[leg] += 1
            ssrc = int(log.ssrc[mine[0]])
            numbers, times = log.number[mine], log.time[mine]
            self._say(leg, reports.transport_feedback(numbers, times, ssrc, count))

    def _latest(self, leg: int) -> dict[int, int]:
        """SSRC to place in the log of the newest packet of each stream, over some 400 ms."""
        log = self.log
        begin = max(0, log.count - int(len(self.viewers) * len(self.people) * PACKETS_PER_SECOND))
        begin = max(begin, log.count - 40_000)
        mine = begin + np.flatnonzero(log.leg[begin : log.count] == leg)
        streams, last = np.unique(log.ssrc[mine][::-1], return_index=True)
        return {
            int(ssrc): int(mine[len(mine) - 1 - at])
            for ssrc, at in zip(streams, last, strict=True)
            if int(log.kind[mine[len(mine) - 1 - at]]) not in self.wire.legs[leg].rtx
        }

    def _report(self, leg: int, now: float) -> None:
        packet = b""
        if leg in self.publisher_of:
            number = self.publisher_of[leg]
            person, tables = self.people[number], self.traffic.tables[number]
            for kind, ssrc in ((AUDIO, person.audio_ssrc), (VIDEO, person.video_ssrc)):
                count = int(np.searchsorted(tables[kind], self._next))
                clock = 48000 if kind == AUDIO else 90000
                stamp = int((now - self._began) * clock) if count else 0
                packet += reports.sender_report(ssrc, now, stamp, count, count * 1000)
        blocks = []
        if leg in self.viewers:
            for ssrc, place in self._latest(leg).items():
                last, heard = self._last_reports.get(leg << 32 | ssrc, (0, now))
                delay = max(0, int((now - heard) * 65536))
                blocks.append((ssrc, int(self.log.sequence[place]), last, delay))
        self._say(leg, reports.receiver_report(blocks) + packet)

    @property
    def _began(self) -> float:
        return float(self.sent_at[0])

    def _ask_again(self, leg: int, now: float) -> None:
        """Asks for one video packet of the moment, as if it had been lost."""
        for ssrc, place in self._latest(leg).items():
            if int(self.log.kind[place]) != OPUS:
                self._say(leg, reports.nack(ssrc, int(self.log.sequence[place])))
                return

    def _estimate(self, leg: int, now: float) -> None:
        self._say(leg, reports.remb(REMB_BITRATE, list(self._latest(leg))))

    # What it was.

    def _judge(self, due: np.ndarray, opens: float, closes: float, cpu: float) -> Result:
        within = (self.sent_at >= opens) & (self.sent_at < closes)
        late = self.sent_at[within] - due[within]
        watched = np.array([self._viewers_of(n) for n in range(len(self.people))])
        rows = self._rows_received()
        times = self.log.time[: self.log.count]
        extra = (rows < 0) & (times >= opens) & (times < closes)
        received = rows >= 0
        received[received] = within[rows[received]]
        pairs = np.unique(self.log.leg[: self.log.count][received] << 32 | rows[received])
        places, labels = (np.array(self.samples, np.int64).reshape(-1, 2)).T
        judged = within[labels]
        delays = self.log.time[places[judged]] - self.sent_at[labels[judged]]
        return Result(
            sent=int(within.sum()),
            expected=int(watched[self.traffic.person[within]].sum()),
            forwarded=len(pairs),
            delays=delays,
            checked=int(judged.sum()),
            damaged=self.damaged,
            cpu=cpu,
            late=float(np.percentile(late, 99)) if len(late) else closes - opens,
            refused=self.refused,
            key_frames=self.key_frames,
            nacked=self.nacked,
            extra=int(extra.sum()),
            cipher=self.wire.legs[0].cipher,
        )

    def _viewers_of(self, person: int) -> int:
        return sum(p.room == self.people[person].room for p in self.people) - 1

    def _rows_received(self) -> np.ndarray:
        """The traffic's row of every packet in the log, -1 where it is none of it.

        A server may shift the numbers of a stream, also in the middle: the packets looked into
        tell by how much, from their place on.
        """
        log, count = self.log, self.log.count
        rows = np.full(count, -1, np.int64)
        streams = log.leg[:count] << 32 | log.ssrc[:count]
        order = np.argsort(streams, kind="stable")
        borders = np.flatnonzero(np.diff(streams[order])) + 1
        known = dict(self.samples)
        looked_into = np.zeros(count, bool)
        looked_into[list(known)] = True
        for places in np.split(order, borders):
            marks = np.flatnonzero(looked_into[places])
            if len(marks):
                labels = np.array([known[int(place)] for place in places[marks]])
                rows[places] = self._rows_of_stream(places, marks, labels)
        return rows

    def _rows_of_stream(
        self, places: np.ndarray, marks: np.ndarray, labels: np.ndarray
    ) -> np.ndarray:
        traffic = self.traffic
        person, kind = int(traffic.person[labels[0]]), int(traffic.kind[labels[0]])
        table = traffic.tables[person][kind]
        outer = self.log.sequence[places]
        shifts = (outer[marks] - traffic.sequence[labels]) & 0xFFFF
        before = np.searchsorted(marks, np.arange(len(places)), side="right") - 1
        inner = (outer - shifts[np.maximum(before, 0)]) & 0xFFFF
        sound = inner < len(table)
        return np.where(sound, table[np.minimum(inner, len(table) - 1)], -1)


class Log:
    """Every media packet that came: columns that fill up to `count`."""

    def __init__(self, room: int) -> None:
        self.count = 0
        self.leg = np.zeros(room, np.int64)
        self.ssrc = np.zeros(room, np.int64)
        self.sequence = np.zeros(room, np.int64)
        self.kind = np.zeros(room, np.uint8)
        self.number = np.zeros(room, np.int64)
        self.time = np.zeros(room)

    def add(self, *columns: np.ndarray) -> int:
        """Returns the place of the first."""
        first, last = self.count, self.count + len(columns[0])
        if last > len(self.leg):
            raise RuntimeError("far more came back than was sent")
        self.leg[first:last], self.ssrc[first:last], self.sequence[first:last] = columns[:3]
        self.kind[first:last], self.number[first:last], self.time[first:last] = columns[3:]
        self.count = last
        return first


def _find_number(packet: np.ndarray, tag: int) -> int:
    """The number in a one-byte extension block that begins with others; -1 when it has none."""
    end = 16 + 4 * (int(packet[14]) << 8 | int(packet[15]))
    position = 16
    while position + 2 < min(end, mmsg.SLOT_BYTES):
        head = int(packet[position])
        if head == tag:
            return int(packet[position + 1]) << 8 | int(packet[position + 2])
        position += 1 if head == 0 else 2 + (head & 15)
    return -1
