"""Films are what was sent, in step and playable, whatever was lost on the way."""

import io
import random

import av
import pytest

from consultations import films
from consultations.sfu import playout, record
from consultations.sfu.record import RecordedPacket
from tests.consultations.packets import SECONDS, seen, spoken, written
from tests.sfu.peer import FRAME_RATE


def muxed(*tracks):
    packets = sorted((p for one in tracks for p in one), key=lambda packet: packet.arrival)
    chunks = [written(packets)]
    found = films.survey(record.read(chunks))
    outputs = [io.BytesIO() for _ in found.films]
    muxers = [
        films.Muxer(film, found.timings, output)
        for film, output in zip(found.films, outputs, strict=True)
    ]
    films.make(chunks, muxers)
    return list(zip(found.films, outputs, muxers, strict=True))


def decoded(output):
    """Times in seconds of every picture and every sound of a film, decoded."""
    output.seek(0)
    with av.open(output) as container:
        times = {"video": [], "audio": []}
        for frame in container.decode():
            kind = "video" if isinstance(frame, av.VideoFrame) else "audio"
            times[kind].append(float(frame.pts * frame.time_base))
        return times


def test_a_person_is_one_film_with_picture_and_voice():
    (film, output, muxer) = muxed(spoken("amina"), seen("amina", start=2**32 - 9000))[0]
    times = decoded(output)

    assert (film.kind, film.voiced, film.size) == ("person", True, (320, 180))
    assert len(times["video"]) == FRAME_RATE * SECONDS
    assert len(times["audio"]) >= 50 * SECONDS - 1
    assert muxer.seconds == pytest.approx(SECONDS, abs=0.1)
    output.seek(0)
    with av.open(output) as container:
        assert container.duration == pytest.approx(SECONDS * 1e6, rel=0.05), "so it can be sought"


def test_everybody_has_a_film_and_a_screen_its_own():
    made = muxed(
        spoken("amina", 0), seen("amina", 1), spoken("salma", 2), seen("salma", 3, kind="screen")
    )

    assert [(film.peer_id, film.kind, film.voiced) for film, *_ in made] == [
        ("amina", "person", True),
        ("salma", "person", True),
        ("salma", "screen", False),
    ]
    for _film, output, _muxer in made:
        assert any(decoded(output).values())


def test_films_begin_together_and_play_in_step():
    """A voice that came 2 s later stands 2 s later; a constant delay of the picture is no lag."""
    late = spoken("salma", 2, delay=2.0)
    made = {film.peer_id: output for film, output, _ in muxed(seen("amina"), late)}

    assert decoded(made["amina"])["video"][0] == pytest.approx(0, abs=0.02)
    assert decoded(made["salma"])["audio"][0] == pytest.approx(2.0, abs=0.05)


def test_late_packets_find_their_place():
    chance = random.Random(3)
    jittered = [
        RecordedPacket(p.track, p.marker, p.sequence, p.timestamp, p.arrival + d, p.payload)
        for p in seen("amina")
        for d in [chance.choice([0, 0, 0.3, 0.8])]
    ]
    ((_, output, _),) = muxed(jittered)

    assert len(decoded(output)["video"]) == FRAME_RATE * SECONDS


def test_after_a_loss_nothing_broken_is_shown():
    packets = seen("amina")
    lost = next(i for i, p in enumerate(packets) if p.arrival > 0.5)
    ((_, output, _),) = muxed(packets[:lost] + packets[lost + 1 :])
    times = decoded(output)["video"]

    # The next key frame comes after two seconds, when the recorded picture begins again.
    assert not [at for at in times if 0.6 < at < 1.95]
    assert [at for at in times if at > 2.0]


def test_somebody_who_reconnects_goes_on_in_the_same_film():
    again = seen("amina", 4, delay=SECONDS + 1.0, start=77)
    ((_, output, muxer),) = muxed(seen("amina"), again)

    times = decoded(output)["video"]
    assert times == sorted(times)
    assert max(times) == pytest.approx(2 * SECONDS + 1, abs=0.2)
    assert muxer.seconds == pytest.approx(2 * SECONDS + 1, abs=0.2)


def test_nothing_recorded_makes_no_film():
    assert muxed([]) == []


@pytest.mark.parametrize("payload", [b"", b"\x80", b"\x80\x80", b"\x10", b"\xff\xff\xff"])
def test_a_broken_descriptor_is_refused(payload):
    with pytest.raises(playout.Vp8Invalid):
        playout.split(payload)
    assert playout.key_frame_size(payload) is None
