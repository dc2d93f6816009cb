"""The model of a thin link; the devices themselves are measured by bench/link_check.py."""

import itertools

import pytest

from bench.link import Direction, Loss, Pipe, Shape, outages


def test_loss_comes_in_bursts_of_the_asked_length_and_share():
    loss = Loss(0.08, 4)
    gone = [loss.draw() for _ in range(200_000)]
    runs = [len(list(run)) for lost, run in itertools.groupby(gone) if lost]
    assert sum(gone) / len(gone) == pytest.approx(0.08, rel=0.05)
    assert sum(runs) / len(runs) == pytest.approx(4, rel=0.05)


def test_single_losses_stand_alone():
    loss = Loss(0.01)
    assert sum(loss.draw() for _ in range(100_000)) == pytest.approx(1000, rel=0.1)


def test_a_way_takes_its_rate_its_half_of_the_round_trip_and_its_queue():
    way = Direction()
    way.take(Shape(down=240, up=120, round_trip=0.4), 240)
    assert way.delivery(1200, 10.0) == pytest.approx(10.0 + 0.2 + 1200 * 8 / 240_000)
    arrivals = [way.delivery(1200, 10.0) for _ in range(30)]
    taken = [at for at in arrivals if at is not None]
    assert max(taken) - 10.0 == pytest.approx(0.2 + 0.5, abs=0.05)
    assert arrivals[-1] is None


def test_a_plan_is_kept_in_time():
    pipe = Pipe(3, 4)
    shape = Shape(750, 380, 0.2)
    pipe.plan(outages(shape, first=8, length=6, every=30, until=60), now=100.0)
    works = {}
    for moment in (100, 107, 109, 115, 139, 145):
        pipe.keep_to_plan(moment)
        assert pipe.ways[3].link.up == pipe.ways[4].link.up
        works[moment] = pipe.ways[3].link.up
    assert works == {100: True, 107: True, 109: False, 115: True, 139: False, 145: True}
    assert (pipe.ways[3].link.rate, pipe.ways[4].link.rate) == (750_000, 380_000)


@pytest.mark.parametrize(
    ("packet", "udp"),
    [
        (bytes([0x45, *bytes(8), 17]), True),
        (bytes([0x45, *bytes(8), 6]), False),
        (bytes([0x60, *bytes(5), 17, *bytes(3)]), True),
        (bytes([0x60, *bytes(5), 6, *bytes(3)]), False),
    ],
)
def test_a_link_without_udp_lets_the_rest_through(packet, udp):
    way = Direction()
    assert not way.refuses(packet)
    way.take(Shape(udp=False), 0)
    assert way.refuses(packet) == udp
