"""When a publisher is asked for a key frame, and when what is under way is waited for."""

import pytest

from consultations.sfu.keyframes import KeyFrames

KEY, DELTA = b"\x10\x00", b"\x10\x01"  # RFC 7741: S = 1, and the frame's first bit
NEAR, FAR = 0.02, 0.4  # round trips


def asked(frames: KeyFrames, at: float, publisher: float = NEAR) -> bool:
    frames.wanted = True
    return frames.due(at, publisher)


@pytest.mark.parametrize(("publisher", "interval"), [(NEAR, 0.5), (FAR, 1.2)])
def test_one_that_does_not_come_is_asked_for_again(publisher: float, interval: float) -> None:
    frames = KeyFrames()
    assert asked(frames, 0.0, publisher)
    frames.note(DELTA, interval - 0.01)
    assert not frames.due(interval - 0.01, publisher), "it may still be under way"
    frames.note(DELTA, interval + 0.01)
    assert frames.due(interval + 0.01, publisher)


def test_a_stream_that_stands_still_is_asked_once() -> None:
    frames = KeyFrames()
    assert asked(frames, 0.0)
    assert not frames.due(60.0, NEAR)


@pytest.mark.parametrize(("viewer", "patience"), [(NEAR, 0.24), (FAR, 1.0)])
def test_a_viewers_repeats_are_heard_when_the_last_one_must_have_arrived(
    viewer: float, patience: float
) -> None:
    frames = KeyFrames()
    assert asked(frames, 0.0)
    frames.asked_again(0.3, viewer)
    frames.note(KEY, 0.4)
    frames.asked_again(0.4 + patience - 0.01, viewer)
    assert not frames.due(10.0, NEAR)
    frames.asked_again(0.4 + patience + 0.01, viewer)
    assert frames.due(10.0, NEAR)


def test_one_that_comes_serves_whoever_wanted_it_meanwhile() -> None:
    frames = KeyFrames()
    assert asked(frames, 0.0)
    frames.wanted = True
    frames.note(KEY, 0.4)
    assert not frames.due(1.0, NEAR)
