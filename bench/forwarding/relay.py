"""aiortc's own way, MediaRelay: every picture is decoded and encoded again for every viewer.

One room of two is what it carries beside its clients on a small machine. The clients send a
picture encoded beforehand; packets are counted where they arrive.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaRelay

from bench.forwarding.cpu import cpu_seconds
from bench.forwarding.traffic import FRAME_RATE

WARM_UP = 4.0
WIDTH, HEIGHT, SECONDS, BITRATE = 640, 360, 2, 1_200_000
CLOCKS = {"video": Fraction(1, 90000), "audio": Fraction(1, 48000)}
STEPS = {"video": 90000 // FRAME_RATE, "audio": 960}


class Prepared(MediaStreamTrack):
    """A track of encoded packets, sent in a loop as time goes by."""

    def __init__(self, kind: str, packets: list[bytes]) -> None:
        super().__init__()
        self.kind = kind
        self._packets = packets
        self._count = 0
        self._began = time.monotonic()

    async def recv(self) -> av.Packet:
        packet = av.Packet(self._packets[self._count % len(self._packets)])
        packet.pts, packet.time_base = self._count * STEPS[self.kind], CLOCKS[self.kind]
        due = self._began + float(packet.pts * packet.time_base)
        self._count += 1
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        return packet


def measure(seconds: float) -> tuple[float, float]:
    """CPU µs of the relaying process per packet forwarded, and packets a second."""
    command = [sys.executable, "-m", "bench.forwarding.relay"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            return asyncio.run(_clients(process, seconds))
        finally:
            process.kill()


async def _clients(process: subprocess.Popen[str], seconds: float) -> tuple[float, float]:
    pictures, voices = _pictures(), _voices()
    clients = [RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2)]
    for client in clients:
        client.addTrack(Prepared("audio", voices))
        client.addTrack(Prepared("video", pictures))
        await client.setLocalDescription(await client.createOffer())
    offers = [client.localDescription.sdp for client in clients]
    process.stdin.write(json.dumps(offers) + "\n")
    process.stdin.flush()
    answers = json.loads(await asyncio.to_thread(process.stdout.readline))
    for client, answer in zip(clients, answers, strict=True):
        await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.sleep(WARM_UP)
    used, came = cpu_seconds(process.pid), await _received(clients)
    await asyncio.sleep(seconds)
    used, came = cpu_seconds(process.pid) - used, await _received(clients) - came
    for client in clients:
        await client.close()
    if not came:
        raise RuntimeError("nothing came through MediaRelay")
    return used / came * 1e6, came / seconds


async def _received(clients: list[RTCPeerConnection]) -> int:
    total = 0
    for client in clients:
        for told in (await client.getStats()).values():
            if told.type == "inbound-rtp":
                total += told.packetsReceived
    return total


def _pictures() -> list[bytes]:
    """Two seconds of a textured picture that moves."""
    encoder: Any = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.bit_rate, encoder.framerate = BITRATE, FRAME_RATE
    encoder.time_base = Fraction(1, FRAME_RATE)
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    rng = np.random.default_rng(1)
    texture = rng.integers(40, 210, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
    texture = np.kron(texture, np.ones((8, 8, 1), np.uint8))
    packets = []
    for number in range(SECONDS * FRAME_RATE):
        image = np.ascontiguousarray(np.roll(texture, 3 * number, axis=1))
        frame = av.VideoFrame.from_ndarray(image)
        frame.pts, frame.time_base = number, encoder.time_base
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


def _voices() -> list[bytes]:
    """Two seconds of a tone, in packets of 20 ms."""
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48000, "stereo", "s16"
    encoder.bit_rate = 32_000
    wave = (8000 * np.sin(2 * np.pi * 440 * np.arange(960) / 48000)).astype(np.int16)
    packets = []
    for number in range(SECONDS * 50):
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[np.newaxis], layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, number * 960, CLOCKS["audio"]
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


async def serve() -> None:
    """Reads one line, the offers of a room; writes the answers, and relays until it is killed."""
    offers = json.loads(await asyncio.to_thread(sys.stdin.readline))
    relay, people = MediaRelay(), []
    for sdp in offers:
        person = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        await person.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        people.append(person)
    answers = []
    for person in people:
        for other in people:
            if other is not person:
                for receiver in other.getReceivers():
                    person.addTrack(relay.subscribe(receiver.track))
        await person.setLocalDescription(await person.createAnswer())
        answers.append(person.localDescription.sdp)
    print(json.dumps(answers), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
