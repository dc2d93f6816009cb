"""What a viewer's link is spent on."""

from types import SimpleNamespace
from typing import Any

from consultations.sfu.allocation import Share, divide


class Slot:
    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.source = SimpleNamespace(kind=kind, open=True, last_packet=0.0, layers=[])
        self.paused = False

    def pause(self, paused: bool) -> None:
        self.paused = paused


def viewer(bitrate: int) -> Any:
    """Sees and hears one other person."""
    estimator = SimpleNamespace(bitrate=bitrate)
    downlink = SimpleNamespace(estimator=estimator, probe=lambda slot, wanted, now: None)
    slots = {"0": Slot("audio"), "1": Slot("video")}
    return SimpleNamespace(slots=slots, downlink=downlink, appetite="all")


def test_a_picture_comes_back_where_a_slow_one_fits() -> None:
    """Held back at 40 kbit/s, at 75 it is sent again after three seconds: it need not be large."""
    someone, share = viewer(40_000), Share()
    picture = someone.slots["1"]
    divide(someone, share, 1.0)
    assert picture.paused
    someone.downlink.estimator.bitrate = 75_000
    for tenth in range(20, 49):
        divide(someone, share, tenth / 10)
        assert picture.paused
    divide(someone, share, 5.1)
    assert not picture.paused
    assert share.per_picture > 30_000


def test_a_thin_link_is_charged_what_a_thin_voice_takes() -> None:
    for bitrate, left in ((100_000, 62_000), (200_000, 139_000)):
        share = Share()
        divide(viewer(bitrate), share, 1.0)
        assert share.per_picture == left


def test_who_saves_data_is_looked_for_room_for_a_small_picture() -> None:
    """Where nothing but the voice flows, an estimate rises by what is tried alone."""
    tried: dict[str, list[float]] = {"all": [], "save": [], "none": []}
    for appetite, wanted in tried.items():
        someone = viewer(40_000)
        someone.appetite = appetite
        someone.downlink.probe = lambda slot, most, now, wanted=wanted: wanted.append(most)
        divide(someone, Share(), 1.0)
    assert tried == {"all": [1_700_000], "save": [300_000], "none": []}
