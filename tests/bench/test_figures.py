"""Figures of a call, from what its browsers noted."""

import pytest

from bench import failures, goals, soak, watching
from bench.shapes import SHAPES, course, window


def reading(at: float, **video: float) -> dict[str, object]:
    sound = {"kind": "audio", "packetsReceived": 1, "bytesReceived": at}
    sound |= {"concealedSamples": at / 100, "totalSamplesReceived": at}
    sight = {"kind": "video", "packetsReceived": 1, "bytesReceived": at * 9, **video}
    unused = {"kind": "audio", "packetsReceived": 0, "concealedSamples": 1e9}
    return {"at": at, "inbound": {"0 a": sound, "0 v": sight, "0 empty": unused}}


def test_a_steady_picture_is_not_frozen():
    assert watching.frozen(range(100, 10_000, 100), 0, 10_000) == 0


def test_a_gap_counts_as_a_whole_and_so_do_the_window_s_ends():
    assert watching.frozen([600, 700, 1900, 2000], 0, 3000) == 600 + 1200 + 1000
    assert watching.frozen([], 0, 3000) == 3000


def test_figures_of_a_window():
    frames = [[1000 + 100 * number, 320, 180] for number in range(100)]
    noted = {"frames": frames, "stalls": [[1000, 1500]]}
    before, after = reading(1000), reading(11_000, totalFreezesDuration=1)
    assert watching.figures(before, after, noted) == {
        "audio_concealed_percent": 1.0,
        "frozen_percent": 0.0,
        "freezes_percent": 10.0,
        "frames_per_s": 10.0,
        "width": 320,
        "height": 180,
        "kbits": 80,
        "page_stalled_percent": 5.0,
    }


def test_a_swing_comes_back_with_bitrate_and_size():
    rates, total = [], 0.0
    frames = []
    for second in range(80):
        thin = 20 <= second < 55
        total += (10 if thin else 100) * 125
        rates.append([second * 1000, total])
        frames.append([second * 1000, 320 if thin else 640, 180 if thin else 360])
    found = watching.recovery({"rates": rates, "frames": frames}, thin=20, wide=50)
    assert found["kbits_before"] == pytest.approx(91, abs=10)
    assert found["width_before"] == 640
    assert found["back_s"] == pytest.approx(6, abs=1.5)
    assert found["size_changes_per_minute"] == pytest.approx(2 / 79 * 60, abs=0.1)


def test_a_cut_is_watched_until_after_its_outage_and_is_whole_again():
    seconds = window("cut", 10)
    steps = course("cut", seconds)
    assert [shape.works for _, shape in steps] == [True, False, True]
    assert steps[-1][0] < seconds
    assert steps[-1][1] == SHAPES["cut"]


def test_a_goal_is_missed_by_what_never_came():
    side = {"first_frame_s": 1.0, "frames_back_s": [1.0, None], "sound_back_s": [0.2, 0.3]}
    found = {"country": side, "town": {**side, "frames_back_s": [1.0, 1.6]}}
    assert list(goals.missed("cut", found)) == [
        "country frames_back_s never (goal ≤ 1.5 s)",
        "town frames_back_s 1.6 (goal ≤ 1.5 s)",
    ]


def soaked(memory: list[float]) -> list[dict[str, object]]:
    steady = {"descriptors": 17, "tasks": 40, "lags_ms": [0.1, 0.2, 9.0]}
    return [{"at": 10 * at, "memory_mb": each, **steady} for at, each in enumerate(memory)]


def test_memory_that_grows_only_in_the_warm_up_is_flat():
    found = soak.verdict(soaked([50.0] * 25 + [100.0] * 38 + [104.0] * 37))
    assert found["flat"]
    assert found["memory_mb"]["change_percent"] == 4.0
    assert found["lag_ms_worst"] == 9.0


def test_memory_that_grows_on_is_not_flat():
    assert not soak.verdict(soaked([100.0 + number / 5 for number in range(100)]))["flat"]


def test_a_percentile_is_one_of_the_values():
    assert failures.percentile([3.0, 1.0, 2.0], 95) == 3.0
    assert failures.percentile([float(number) for number in range(100)], 95) == 94.0
