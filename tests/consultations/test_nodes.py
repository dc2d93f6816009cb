"""What operators see of the media processes, and how one is emptied."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from consultations import meter, processes
from consultations.engine import Statistics
from consultations.meter import Meter
from consultations.models import MediaProcess
from consultations.processes import Load
from telemed.audit.models import Event


@pytest.fixture
def east(transactional_db):
    process = processes.register("east")
    beat(process)
    return process


def beat(process: MediaProcess) -> None:
    """As it does each second: a slow page must not find it dead."""
    processes.beat(process.pk, process.epoch, Load(rooms=2, people=4, cpu=0.25, packets=620))


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("media_nodes", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_shows_each_process(east):
    MediaProcess.objects.create(name="west")
    header, first, second = told().splitlines()
    assert header.split()[:4] == ["name", "state", "rooms", "people"]
    assert first.split()[:6] == ["east", "live", "2", "4", "620", "0.25"]
    assert second.split()[:2] == ["west", "dead"]
    assert json.loads(told("--json").splitlines()[0])["people"] == 4


def test_the_command_empties_a_process_and_takes_it_back(east):
    assert "draining" in told("--drain", "east")
    assert processes.is_draining(east.pk, east.epoch)
    assert "live" in told("--resume", "east")
    assert [event.code for event in Event.objects.order_by("id")] == ["east", "east"]
    with pytest.raises(CommandError):
        told("--drain", "south")


def test_a_process_that_comes_back_is_in_service_again(east):
    processes.drain("east", draining=True)
    again = processes.register("east")
    assert not processes.is_draining(again.pk, again.epoch)


def test_the_administrator_sees_and_empties_them_in_the_site(client, cast, east):
    client.force_login(cast.omar)
    assert "east" in client.get("/operations/media/").content.decode()
    beat(east)
    fragment = client.get("/operations/media/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "620" in fragment
    beat(east)
    client.post("/operations/media/east/", {"draining": "yes"})
    assert processes.is_draining(east.pk, east.epoch)
    beat(east)
    client.post("/operations/media/east/", {"draining": "no"})
    assert not processes.is_draining(east.pk, east.epoch)


def statistics(lag: float = 0.0) -> Statistics:
    return Statistics(0, 0, 0, 0, 0, 0, 0, lag, 0.0, {})


def test_a_process_is_full_after_two_bad_seconds_and_free_when_it_has_recovered():
    east = Meter(200)
    verdicts = [
        east.read(statistics(), rooms=1, people=people).full
        for people in (195, 2, 195, 195, 170, 2, 195)
    ]
    assert verdicts == [False, False, False, True, True, False, False]


def test_a_process_is_strained_when_what_is_due_has_been_late_for_three_seconds(monkeypatch):
    monkeypatch.setattr(meter, "BUSY_CPU", -1)  # what this process itself takes is not the matter
    monkeypatch.setattr(meter, "STRAINED_CPU", float("inf"))
    east = Meter(200)
    verdicts = []
    for lag in (0.2, 0.2, 0.0, 0.2, 0.2, 0.2, 0.2, 0.0):
        east.read(statistics(lag), rooms=1, people=2)
        verdicts.append(east.is_strained)
    assert verdicts == [False] * 5 + [True, True, False]


def test_a_busy_machine_does_not_make_an_idle_process_full():
    east = Meter(200)
    assert not any(east.read(statistics(0.5), rooms=1, people=2).full for _ in range(5))
