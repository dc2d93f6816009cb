"""What a picture is called at so many bits a second: browsers and media server say the same."""

import re
from pathlib import Path

from consultations.sfu.allocation import THIN_BITRATE
from consultations.sfu.room import MODES

SCRIPTS = Path("consultations/static/consultations")


def figures(script: str, name: str) -> dict[str, int]:
    """The numbers of an object literal."""
    text = (SCRIPTS / script).read_text()
    literal = re.search(rf"const {name} = {{(.*?)}};", text, re.DOTALL)
    assert literal is not None
    return {
        key: int(value.replace("_", ""))
        for key, value in re.findall(r"(\w+): ([\d_]+)", literal[1])
    }


def test_server_and_browsers_step_down_at_the_same_figures() -> None:
    server = {mode: least for least, mode in MODES}
    browser = figures("ladder.js", "NEEDS")
    moving = {"full", "small", "slow"}
    assert {mode: browser[mode] for mode in moving} == {mode: server[mode] for mode in moving}


def test_a_voice_is_thin_where_the_server_takes_it_for_thin() -> None:
    told = re.search(r"const THIN = ([\d_]+);", (SCRIPTS / "sending.js").read_text())
    assert told is not None
    assert int(told[1].replace("_", "")) == THIN_BITRATE
