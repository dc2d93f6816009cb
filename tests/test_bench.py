"""The load of bench.forwarding says what a browser would say."""

import numpy as np
from pylibsrtp import Policy, Session

from bench.forwarding import reports
from bench.forwarding.legs import Person
from bench.forwarding.traffic import HEADER, STRIDE, VIDEO, Traffic, read_label
from consultations.sfu import feedback, rtcp, vp8

KEY = bytes(28)
PROFILE = Policy.SRTP_PROFILE_AEAD_AES_128_GCM


def told(numbers: list[int], times: list[float]) -> dict[int, float | None]:
    packet = reports.transport_feedback(np.array(numbers), np.array(times), 7, 1)
    (walked,) = rtcp.walk(packet)
    assert (walked.packet_type, walked.variant) == (rtcp.RTPFB, rtcp.TRANSPORT_FEEDBACK)
    return dict(feedback.read(walked.body))


def test_feedback_over_the_wrap_with_losses_and_long_gaps() -> None:
    numbers, times = [65534, 65535, 1, 2, 30], [100.0, 100.001, 100.2, 100.199, 101.0]
    report = told(numbers, times)
    assert report[0] is None
    assert report[29] is None
    for number, time in zip(numbers, times, strict=True):
        arrival, first = report[number], report[65534]
        assert arrival is not None
        assert first is not None
        assert abs(arrival - first - (time - times[0])) < 0.001


def test_feedback_of_an_unbroken_run() -> None:
    report = told(list(range(500, 900)), [5 + n / 1000 for n in range(400)])
    assert len(report) == 400
    assert None not in report.values()


def test_a_key_frame_stands_ready_in_the_place_of_every_frame() -> None:
    person = Person(0, 0)
    policy = Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=PROFILE)
    policy.allow_repeat_tx = True
    person.sends = Session(policy)
    traffic = Traffic([person], 1.0)
    traffic.protect()
    receives = Session(Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=PROFILE))
    found = traffic.key_frame(0, 20)
    assert found is not None
    row, offset = found
    length = int(traffic.lengths[row])
    plain = receives.unprotect(traffic.memory[offset : offset + length].tobytes())
    assert read_label(plain, VIDEO) == row
    assert vp8.read_descriptor(plain[HEADER:]).begins_key_frame
    other = Session(Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=PROFILE))
    plain = other.unprotect(traffic.memory[row * STRIDE : row * STRIDE + length].tobytes())
    assert read_label(plain, VIDEO) == row
    assert not vp8.read_descriptor(plain[HEADER:]).begins_key_frame
