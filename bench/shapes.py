"""The links that calls are measured over."""

from bench.link import Shape, Steps, outages

SHAPES = {
    "4g": Shape(8000, 4000, 0.060, 0.003),
    "3g": Shape(750, 380, 0.200, 0.01),
    "edge": Shape(240, 120, 0.400, 0.01),
    "lossy": Shape(1500, 1500, 0.120, 0.08, burst=4),
    "cut": Shape(750, 380, 0.200, 0.01),
    "swing": Shape(1000, 1000, 0.100),
}
THIN = Shape(100, 100, 0.100)
# An outage begins this many seconds into the window, and again and again.
FIRST_CUT, CUT, CUT_EVERY = 8.0, 6.0, 30.0
# Seconds into the window at which swing becomes thin and wide again, and at which it ends.
THIN_FROM, WIDE_FROM, SWING_SECONDS = 20.0, 50.0, 80.0


def window(name: str, seconds: float) -> float:
    """How long a link is watched: long enough for what is to be seen on it."""
    if name == "cut":
        return max(seconds, FIRST_CUT + CUT + 8)
    return SWING_SECONDS if name == "swing" else seconds


def course(name: str, seconds: float) -> Steps:
    """What happens to the link in the window, by seconds since its start."""
    shape = SHAPES[name]
    if name == "cut":
        return outages(shape, FIRST_CUT, CUT, CUT_EVERY, seconds - CUT)
    if name == "swing":
        return [(0.0, shape), (THIN_FROM, THIN), (WIDE_FROM, shape)]
    return [(0.0, shape)]
