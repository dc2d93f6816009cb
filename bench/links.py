"""A call over thin links, between two Chromium: ours and Janus's videoroom in the same run.

    python -m bench.links --json
    python -m bench.links --links edge,3g --seconds 20 --no-janus

The person in the country has a browser in a network namespace behind a link of bench/link.py;
the person in town is on this machine. Both cameras show a moving picture that takes 1.5 Mbit/s
where there is room. Ours is the whole product: pages, sockets and media go over the link (at the
click on "Let in" the pages are loaded). Janus stands with one room and a page of its own; its
clock starts when the person in the country, page and handles ready, asks to come in, which spares
it the news that it may.

First: seconds from that moment until a side shows the other's first picture. The window begins
``--settle`` seconds after the slower side's. Concealed: share of the sound that the browser made up
(getStats). Frozen: share of the window in gaps of more than 500 ms between shown pictures
(requestVideoFrameCallback), each gap as a whole; ``freezes_percent`` is getStats'
totalFreezesDuration. Goals (bench/goals.py) that ours misses stand below its rows.

Needs root. bench/shapes.py has the links; ``python -m bench.link_check`` shows that they do what
they say. A machine that is busy with other work tells on the figures: ``page_stalled_percent``.
"""

import argparse
import functools
import json
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bench import goals, shapes, watching
from bench.forwarding import packages
from bench.link import Field, NeedsRoot, field_behind
from bench.meeting import Meeting, Pair, ours, peer

PATIENCE = 60.0  # seconds to wait for a first picture
COLUMNS = (
    ("audio_concealed_percent", "concealed %"),
    ("frozen_percent", "frozen %"),
    ("frames_per_s", "frames/s"),
    ("kbits", "kbit/s"),
)
SIDES = ("country", "town")


# Measuring.


@dataclass(frozen=True)
class Options:
    seconds: float
    settle: float
    shots: Path | None
    janus_kbits: int  # 0: without Janus


def measure(meeting: Meeting, field: Field, name: str, label: str, options: Options) -> Any:
    """One call over the link ``name``: figures by side, and what is asked of this link alone."""
    seconds = shapes.window(name, options.seconds)
    with meeting() as pair:
        field.shape(shapes.SHAPES[name])
        pair.country.wait_for_timeout(1500)
        begun = pair.begin()
        found: dict[str, Any] = {
            side: {"first_frame_s": _rounded(watching.first_after(page, "Frame", begun, PATIENCE))}
            for side, page in pair.sides.items()
        }
        pair.country.wait_for_timeout(options.settle * 1000)
        before = {side: page.evaluate("watching.read()") for side, page in pair.sides.items()}
        started = field.shape(*shapes.course(name, seconds))
        _look(pair, name, label, seconds, options.shots)
        after = {side: page.evaluate("watching.read()") for side, page in pair.sides.items()}
        for side, page in pair.sides.items():
            noted = page.evaluate("at => watching.since(at)", before[side]["at"])
            found[side] |= watching.figures(before[side], after[side], noted)
            if name == "swing":
                thin, wide = started + shapes.THIN_FROM, started + shapes.WIDE_FROM
                found[side] |= watching.recovery(noted, thin, wide)
            if name == "cut":
                found[side] |= _after_cuts(noted, started, seconds)
        if name == "cut" and label == "ours":
            found["still_in_call"] = pair.country.locator("#call").is_visible()
    return found


def _after_cuts(noted: watching.Noted, started: float, seconds: float) -> watching.Figures:
    """Seconds from each outage's end to the next picture and the next sound; None: never."""
    back: watching.Figures = {"frames_back_s": [], "sound_back_s": []}
    for after, shape in shapes.course("cut", seconds)[2::2]:
        assert shape.works
        moment = (started + after) * 1000
        times = {
            "frames_back_s": [at for at, *_ in noted["frames"]],
            "sound_back_s": noted["sounds"],
        }
        for key, all_times in times.items():
            first = next((at for at in all_times if at > moment), None)
            back[key].append(first and round((first - moment) / 1000, 2))
    return back


def _look(pair: Pair, name: str, label: str, seconds: float, shots: Path | None) -> None:
    """Waits for the window's end; pictures of both pages at the telling moments where wished."""
    moments = {"": seconds / 2}
    if name == "cut":
        outage_ends = shapes.FIRST_CUT + shapes.CUT
        moments = {"-away": outage_ends - 1.5, "-back": outage_ends + 2}
    elif name == "swing":
        moments = {"-thin": shapes.WIDE_FROM - 5, "-wide": shapes.SWING_SECONDS - 5}
    waited = 0.0
    for suffix, moment in moments.items() if shots else ():
        pair.country.wait_for_timeout((moment - waited) * 1000)
        waited = moment
        for side, page in pair.sides.items():
            page.screenshot(path=str(shots / f"{label}-{name}{suffix}-{side}.png"))  # type: ignore[operator]
    pair.country.wait_for_timeout((seconds - waited) * 1000)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


# Telling.


def rows(name: str, label: str, found: dict[str, Any]) -> Iterator[str]:
    if "error" in found:
        yield f"{name:6} {label:6} failed: {found['error']}"
        return
    for side in SIDES:
        one = found[side]
        first = "never" if one["first_frame_s"] is None else f"{one['first_frame_s']:.2f} s"
        values = "  ".join(f"{one[key]:11.1f}" for key, _ in COLUMNS)
        yield f"{name:6} {label:6} {side:8} {first:>8}  {values}  {one['width']}×{one['height']}"
    for side in SIDES:
        one = found[side]
        if "back_s" in one:
            back = "never" if one["back_s"] is None else f"{one['back_s']} s"
            yield (
                f"       {side}: {one['kbits_before']} kbit/s, {one['width_before']} wide before,"
                f" again after {back}; {one['size_changes_per_minute']} size changes a minute"
            )
        if "frames_back_s" in one:
            yield (
                f"       {side}: after each outage pictures {_times(one['frames_back_s'])},"
                f" sound {_times(one['sound_back_s'])}"
            )
    if "still_in_call" in found:
        yield f"       still in the call: {'yes' if found['still_in_call'] else 'no'}"
    if label == "ours":
        yield from (f"       missed: {each}" for each in goals.missed(name, found))


def _times(seconds: list[float | None]) -> str:
    return ", ".join("never" if each is None else f"{each} s" for each in seconds)


def title() -> str:
    heads = "  ".join(f"{head:>11}" for _, head in COLUMNS)
    return f"{'link':6} {'':6} {'side':8} {'first':>8}  {heads}  size"


def run(names: list[str], options: Options) -> dict[str, dict[str, Any]]:
    everything: dict[str, dict[str, Any]] = {name: {} for name in names}
    systems = {"ours": ours}
    if options.janus_kbits:
        systems["janus"] = functools.partial(peer, kbits=options.janus_kbits)
    print(title(), flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="telemed-links-") as folder,
        field_behind() as field,
        sync_playwright() as driver,
    ):
        for label, system in systems.items():
            with system(driver, field, Path(folder, label)) as meeting:
                for name in names:
                    try:
                        found = measure(meeting, field, name, label, options)
                    except Exception as error:  # noqa: BLE001 - the other links are still to be seen
                        traceback.print_exc()
                        found = {"error": str(error).partition("\n")[0]}
                    everything[name][label] = found
                    print(*rows(name, label, found), sep="\n", flush=True)
    return everything


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.links")
    parser.add_argument("--links", default=",".join(shapes.SHAPES), help="some of them, by commas")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the window")
    parser.add_argument("--settle", type=float, default=5.0, help="seconds before the window")
    parser.add_argument("--no-janus", action="store_true")
    parser.add_argument(
        "--janus-kbits", type=int, default=1500, help="what Janus asks of a picture, as ours does"
    )
    parser.add_argument("--shots", type=Path, help="a folder for pictures of both pages")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    names = options.links.split(",")
    unknown = [name for name in names if name not in shapes.SHAPES]
    if unknown:
        parser.error(f"no such link: {', '.join(unknown)}; there are {', '.join(shapes.SHAPES)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.shots:
        options.shots.mkdir(parents=True, exist_ok=True)
    kbits = 0 if options.no_janus else options.janus_kbits
    how = Options(options.seconds, options.settle, options.shots, kbits)
    try:
        if kbits:
            packages.ensure("janus")
        everything = run(names, how)
    except (NeedsRoot, packages.Missing) as error:
        print(error)
        return 2
    except KeyboardInterrupt:
        return 130
    if options.json:
        print(json.dumps(everything))
    return 0


if __name__ == "__main__":
    sys.exit(main())
