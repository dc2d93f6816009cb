"""PROTOCOL.md and the code say the same: types, fields, codes, and who may do what."""

import re
from pathlib import Path

import pytest

import consultations
from consultations import live, process, sockets
from consultations.handlers import ADMITTED_ONLY, HANDLERS
from consultations.messages import KINDS

FOLDER = Path(consultations.__file__).parent
PAGE = (FOLDER / "PROTOCOL.md").read_text()
BEFORE_HANDLERS = {"hello", "ping", "snapshot"}  # the socket's own


def section(title):
    return PAGE.split(f"\n## {title}", 1)[1].split("\n## ", 1)[0]


def rows(text):
    """The cells of a table's lines, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [line for line in cells if not line[0].startswith(("type", "close"))]


def words(cell):
    return re.findall(r"`([\w-]+)`", cell)


def client_table():
    """By type: whether it needs an id, its fields, who may send it."""
    table = {}
    for types, fields, who, *_ in rows(section("4.")):
        for type_ in words(types):
            table[type_] = ("*id*" in types, set(words(fields)), who)
    return table


CLIENT = client_table()


def test_every_message_of_the_client_is_described_and_handled():
    assert set(CLIENT) == set(KINDS)
    assert set(HANDLERS) == set(KINDS) - BEFORE_HANDLERS


@pytest.mark.parametrize("type_", KINDS)
def test_its_fields_and_id_are_the_described_ones(type_):
    has_id, fields, _ = CLIENT[type_]

    assert has_id == KINDS[type_].changes
    assert fields == set(KINDS[type_].fields)


def test_what_only_those_inside_may_say_is_described_so():
    inside = {type_ for type_, (_, _, who) in CLIENT.items() if who in ("admitted", "specialist")}

    assert inside == ADMITTED_ONLY


def source():
    """What the room's own code says, views included."""
    files = [*FOLDER.glob("*.py"), *FOLDER.glob("actions/*.py"), *FOLDER.glob("views/*.py")]
    return "\n".join(path.read_text() for path in sorted(files))


def test_every_message_of_the_server_is_described():
    said = set(re.findall(r'"type": "([\w-]+)"', source()))
    # What goes through the channel layer is no message of the socket.
    said.discard("room")

    assert said == {type_ for line in rows(section("5.")) for type_ in words(line[0])}


def test_every_refusal_is_described():
    codes = set(re.findall(r'Refused\(\s*"([a-z_0-9]+)"', source()))
    table = re.search(r"messages = \{(.*?)\n    \}", (FOLDER / "handlers.py").read_text(), re.S)
    codes |= set(re.findall(r'"([a-z_0-9]+)":', table[1])) | {"bad_sdp"}
    of_the_ticket = section("5.").split("### The ticket endpoint")[1]

    assert codes <= {*words(section("6.").split("| close")[0]), *words(of_the_ticket)}


def test_every_close_is_described_once():
    used = {
        sockets.BAD,
        sockets.NO_TICKET,
        sockets.TOO_FAST,
        process.SILENT,
        live.REPLACED,
        live.REMOVED,
        live.FINISHED,
        live.ELSEWHERE,
        live.CHANGED,
    }
    described = [int(code) for line in rows(section("6.")) for code in line[0].split(", ")]

    assert {code for code in described if code >= 4000} == used
    assert len(described) == len(set(described))


def test_the_limits_are_the_described_ones():
    assert f"every {sockets.PING_SECONDS} s" in PAGE
    assert f"within {sockets.HELLO_SECONDS} s" in PAGE
    assert f"{process.SOCKET_SILENCE_SECONDS:.0f} s of silence" in PAGE
