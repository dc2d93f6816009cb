"""What a publisher is asked to send again, and what is given up."""

import struct

import pytest

from consultations.sfu.source import Source
from tests.fuzz import world
from tests.sfu.test_sessions import until

SIZE = 1000


def camera(rate: int, seconds: float = 3.0) -> tuple[Source, float, int]:
    """A camera that has sent `rate` packets a second; the time, and the next number."""
    source = Source("amina", "1", "video", 96)
    source.open = True
    now = 100.0
    for number in range(int(rate * seconds)):
        now += 1 / rate
        receive(source, number, now)
        if number % (rate // 5) == 0:
            source.measure(now)
    source.key_frames.wanted = False
    return source, now, int(rate * seconds)


def receive(source: Source, number: int, now: float) -> None:
    packet = struct.pack("!BBHLL", 0x80, 96, number, number, 1) + bytes(SIZE - 12)
    source.receive(packet, 12, 0, number, number, now)


def test_a_burst_is_asked_for_again_all_at_once() -> None:
    source, now, number = camera(rate=90)
    receive(source, number + 25, now)
    assert len(source.losses_to_ask_for(now + 0.02, 0.1)) == 25
    assert not source.key_frames.wanted


def test_a_collapse_is_mended_by_a_key_frame() -> None:
    source, now, number = camera(rate=90)
    for index in range(3):  # a link that suddenly carries a tenth
        now += 0.1
        receive(source, number + index * 10, now)
        source.measure(now)
    assert source.losses_to_ask_for(now + 0.02, 0.1) == []
    assert source.key_frames.wanted
    assert not source.has_losses


def test_repairs_take_a_share_of_what_comes() -> None:
    """One packet in three is lost: far from all can be had again."""
    source, now, number = camera(rate=90)
    asked = 0
    for index in range(900):
        now += 1 / 90
        if index % 3:
            receive(source, number + index, now)
        if index % 18 == 0:
            source.measure(now)
        asked += len(source.losses_to_ask_for(now, 10.0))
    assert 60 < asked < 180


@pytest.mark.parametrize(("loss", "copies"), [(0.0, 0), (0.08, 1)])
async def test_on_a_lossy_link_a_request_goes_twice(
    monkeypatch: pytest.MonkeyPatch, loss: float, copies: int
) -> None:
    """The second one costs nothing: a browser does not send twice within a round trip."""
    repeated = []
    monkeypatch.setattr(world.Path_, "repeat_later", lambda path, seconds: repeated.append(path))
    _room, amina, _youssef = world.two()
    source = next(each for each in amina.streams if each.is_video)
    source.begin(1)
    for number in (0, 2):
        receive(source, number, amina.transport.mux.now())
    amina.downlink.estimator.loss = loss
    await until(lambda: amina._counts["nacked_up"])
    assert repeated == [amina.transport] * copies
