"""What people send in a call, built and encrypted before the clock starts.

A camera: VP8 at 30 frames/s and 1.19 Mbit/s, a key frame at the start and whenever one is asked
for. A voice: an Opus packet every 20 ms. Every packet carries a marker and its place in the
sending order, by which the receiving end recognises it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .legs import Person

OPUS, VP8, RTX = 111, 96, 97
LEVEL, SEQUENCE, MID = 1, 3, 4
AUDIO, VIDEO = 0, 1
FRAME_RATE = 30
FRAME_PACKETS = (4, 5)  # of alternating frames
PACED = 0.005  # a browser's pacer lets two packets of a frame go, and the next two 5 ms later
VOICE_INTERVAL = 0.02
HEADER = 24  # RTP header, extension block of two words
VIDEO_BYTES, AUDIO_BYTES = 1100, 80
STRIDE = 1152
MARKER = 0x7E1E3ED5
MARKER_AT = (0, 8)  # within an audio payload; within a video payload, after the descriptor
PACKETS_PER_SECOND = FRAME_RATE * sum(FRAME_PACKETS) / len(FRAME_PACKETS) + 1 / VOICE_INTERVAL


class Traffic:
    """All packets of some people for some seconds, by rows in the order of `due` (seconds)."""

    def __init__(self, people: list[Person], seconds: float, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        streams = [
            part
            for number, _ in enumerate(people)
            for part in (_voice(number, seconds, rng), _camera(number, seconds, rng))
        ]
        rows = np.concatenate(streams)
        rows = rows[np.argsort(rows["due"], kind="stable")]
        self.people = people
        self.due, self.person, self.kind = rows["due"], rows["person"], rows["kind"]
        self.sequence, self.begins_frame = rows["sequence"], rows["begins_frame"]
        self.lengths = np.zeros(len(rows), np.int64)
        self.offsets = np.arange(len(rows), dtype=np.int64) * STRIDE
        beginnings = np.flatnonzero(self.begins_frame)
        self._key_frame_of = np.zeros(len(rows), np.int64)
        self._key_frame_of[beginnings] = (len(rows) + np.arange(len(beginnings))) * STRIDE
        self.memory = np.zeros((len(rows) + len(beginnings)) * STRIDE, np.uint8)
        plain = self.memory.reshape(-1, STRIDE)
        self._write(plain[: len(rows)], rows, rng)
        plain[len(rows) :] = plain[beginnings]
        plain[len(rows) :, HEADER + 4] &= 0xFE  # VP8: a cleared bit is a key frame
        self._beginnings = [beginnings[self.person[beginnings] == n] for n in range(len(people))]
        self.tables = [self._table(number) for number in range(len(people))]

    def __len__(self) -> int:
        return len(self.due)

    def key_frame(self, person: int, after: int) -> tuple[int, int] | None:
        """The next row from `after` on that begins a frame, and where its key frame lies."""
        rows = self._beginnings[person]
        at = int(np.searchsorted(rows, after))
        return (int(rows[at]), int(self._key_frame_of[rows[at]])) if at < len(rows) else None

    def protect(self) -> None:
        """Encrypts every row in place with its sender's keys."""
        memory = memoryview(self.memory.data)
        protect = [person.sends.protect for person in self.people]
        plain_lengths = np.where(self.kind == VIDEO, HEADER + VIDEO_BYTES, HEADER + AUDIO_BYTES)
        lengths = []
        keys = self._key_frame_of.tolist()
        for row, (person, length) in enumerate(
            zip(self.person.tolist(), plain_lengths.tolist(), strict=True)
        ):
            start = row * STRIDE
            data = protect[person](bytes(memory[start : start + length]))
            memory[start : start + len(data)] = data
            lengths.append(len(data))
            if key := keys[row]:  # the same number twice: only one of both is ever sent
                memory[key : key + len(data)] = protect[person](bytes(memory[key : key + length]))
        self.lengths[:] = lengths

    def _table(self, person: int) -> list[np.ndarray]:
        """For voice and camera, the rows by sequence number from 0 on."""
        mine = np.flatnonzero(self.person == person)
        return [mine[self.kind[mine] == kind] for kind in (AUDIO, VIDEO)]

    def _write(self, plain: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> None:
        video = rows["kind"] == VIDEO
        plain[:, HEADER:] = rng.integers(0, 256, STRIDE - HEADER, dtype=np.uint8)
        plain[:, 0] = 0x90
        plain[:, 1] = np.where(video, VP8 | rows["marker"].astype(int) << 7, OPUS)
        ssrcs = np.array([(p.audio_ssrc, p.video_ssrc) for p in self.people])
        _big(plain, 2, rows["sequence"], 2)
        _big(plain, 4, rows["timestamp"], 4)
        _big(plain, 8, ssrcs[rows["person"], rows["kind"]], 4)
        plain[:, 12:16] = (0xBE, 0xDE, 0, 2)
        plain[:, 16] = SEQUENCE << 4 | 1
        _big(plain, 17, self._transport_numbers(), 2)
        plain[:, 19] = MID << 4
        plain[:, 20] = np.where(video, ord("1"), ord("0"))
        plain[:, 21] = np.where(video, 0, LEVEL << 4)
        plain[:, 22] = np.where(video, 0, 0x80 | 30)
        plain[:, 23] = 0
        begins = rows["begins_frame"] & video
        pictures = rows["picture"].astype(int) & 0x7FFF
        descriptor = np.zeros((len(rows), 5), np.uint8)
        descriptor[:, 0] = np.where(begins, 0x90, 0x80)
        descriptor[:, 1] = 0x80
        _big(descriptor, 2, 0x8000 | pictures, 2)
        descriptor[:, 4] = np.where(rows["key"], 0, 1)
        plain[video, HEADER : HEADER + 5] = descriptor[video]
        start = HEADER + np.where(video, MARKER_AT[VIDEO], MARKER_AT[AUDIO])
        label = np.zeros((len(rows), 8), np.uint8)
        _big(label, 0, np.full(len(rows), MARKER), 4)
        _big(label, 4, np.arange(len(rows)), 4)
        np.put_along_axis(plain, start[:, None] + np.arange(8), label, axis=1)

    def _transport_numbers(self) -> np.ndarray:
        numbers = np.zeros(len(self), np.int64)
        for person in range(len(self.people)):
            mine = np.flatnonzero(self.person == person)
            numbers[mine] = np.arange(len(mine))
        return numbers & 0xFFFF


def read_label(plain: bytes, kind: int) -> int | None:
    """The row that a decrypted packet carries; None when its marker is not there."""
    start = 12 + 4 * (plain[0] & 15)
    if plain[0] & 0x10:
        start += 4 + 4 * int.from_bytes(plain[start + 2 : start + 4])
    start += MARKER_AT[kind]
    if int.from_bytes(plain[start : start + 4]) != MARKER:
        return None
    return int.from_bytes(plain[start + 4 : start + 8])


ROW = np.dtype(
    [
        ("due", "f8"),
        ("person", "i4"),
        ("kind", "i1"),
        ("sequence", "i8"),
        ("timestamp", "i8"),
        ("picture", "i8"),
        ("marker", "?"),
        ("begins_frame", "?"),
        ("key", "?"),
    ]
)


def _voice(person: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    numbers = np.arange(int(seconds / VOICE_INTERVAL))
    rows = np.zeros(len(numbers), ROW)
    rows["person"], rows["kind"], rows["sequence"] = person, AUDIO, numbers
    rows["timestamp"] = numbers * 960
    rows["due"] = numbers * VOICE_INTERVAL + rng.uniform(0, VOICE_INTERVAL)
    return rows


def _camera(person: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    frames = np.arange(int(seconds * FRAME_RATE))
    counts = np.where(frames % 2, FRAME_PACKETS[1], FRAME_PACKETS[0])
    frame = np.repeat(frames, counts)
    within = np.arange(len(frame)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = np.zeros(len(frame), ROW)
    rows["person"], rows["kind"], rows["sequence"] = person, VIDEO, np.arange(len(frame))
    rows["timestamp"] = frame * (90000 // FRAME_RATE)
    rows["picture"] = frame
    rows["marker"] = within == np.repeat(counts, counts) - 1
    rows["begins_frame"] = within == 0
    rows["key"] = (within == 0) & (frame == 0)
    rows["due"] = frame / FRAME_RATE + within // 2 * PACED + rng.uniform(0, 1 / FRAME_RATE)
    return rows


def _big(rows: np.ndarray, at: int, values: np.ndarray, size: int) -> None:
    """Writes numbers in network order into column `at` of each row."""
    for byte in range(size):
        rows[:, at + byte] = values >> 8 * (size - 1 - byte) & 0xFF
