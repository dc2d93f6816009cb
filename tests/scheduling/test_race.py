"""No double booking: clients in separate processes, released together, through the HTTP door of
a server with two processes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from scheduling import slots
from scheduling.models import Appointment, OccupiedInterval
from telemed.lib import clock
from telemed.lib.intervals import overlaps
from telemed.run.addresses import free_port
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

SLOTS = 25
APART = timedelta(hours=2)  # so far that no slot's alternatives reach another's
STAGGER = timedelta(minutes=10)


def environment() -> dict[str, str]:
    """The environment that puts a child process on the database of this test."""
    here = urlsplit(os.environ["DATABASE_URL"])
    name = str(connection.settings_dict["NAME"])
    url = f"{here.scheme}://{here.netloc}/{name}" + (f"?{here.query}" if here.query else "")
    return {**os.environ, "DATABASE_URL": url}


@pytest.fixture
def server() -> Iterator[str]:
    """Two processes that serve the pages."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "telemed.asgi:web", "--workers", "2"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--log-level", "warning"],
        env=environment(),
        cwd=django_settings.BASE_DIR,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        answers(url)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str) -> None:
    transport = httpx.HTTPTransport(retries=60)  # with growing pauses until it listens
    with httpx.Client(transport=transport, timeout=60) as client:
        client.get(url + "/healthz")


@contextmanager
def racer(url: str, presses: list[dict[str, Any]]) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.scheduling.racer", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=django_settings.BASE_DIR,
    )
    try:
        print(json.dumps(presses, default=str), file=process.stdin, flush=True)
        yield process
    finally:
        process.kill()
        process.wait()


def race(url: str, *teams: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Every team in a process of its own; all of them pressed at once."""
    with ExitStack() as stack:
        processes = [stack.enter_context(racer(url, presses)) for presses in teams]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            print("go", file=process.stdin, flush=True)
        return [json.loads(process.stdout.readline()) for process in processes]


def session(user) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def person(cast, number: int):
    user = make.user(f"racer{number}@cast.example", f"Racer {number}")
    return make.patient(cast.imilchil, "Racer", str(number), user=user)


def press(patient, service, starts_at: datetime) -> dict[str, Any]:
    return {
        "session": session(patient.user),
        "path": "/book/hold/",
        "fields": {"service": service.pk, "patient": patient.pk, "starts_at": starts_at},
    }


@pytest.fixture
def service(cast):
    """Twenty minutes, day and night, startable every ten."""
    cast.dr_salma.rules.all().delete()
    make.working_hours(cast.dr_salma, time(0), time(0))
    return make.service(cast.dr_salma, cast.cardiology, step_minutes=10)


@pytest.fixture
def tomorrow() -> datetime:
    """Midnight in Casablanca: a point of the grid of starts."""
    zone = slots.zone("Africa/Casablanca")
    local = clock.now().astimezone(zone) + timedelta(days=1)
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def test_one_winner_for_each_of_25_slots(cast, service, tomorrow, server):
    teams: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for number in range(SLOTS):
        start = tomorrow + number * APART
        staggered = start + STAGGER * (number % 2)
        teams[0].append(press(person(cast, 2 * number), service, start))
        teams[1].append(press(person(cast, 2 * number + 1), service, staggered))
    results = list(zip(*race(server, *teams), strict=True))

    taken = list(
        OccupiedInterval.objects.filter(resource_kind="specialist").values_list(
            "starts_at", "ends_at"
        )
    )
    assert len(taken) == SLOTS
    for pair in results:
        assert sorted(answer["status"] for answer in pair) == [302, 409]
        loser = next(answer for answer in pair if answer["status"] == 409)
        assert loser["code"] == "slot_taken"
        assert 1 <= len(loser["alternatives"]) <= 3
        for alternative in map(datetime.fromisoformat, loser["alternatives"]):
            needed = (alternative, alternative + timedelta(minutes=25))
            assert not any(overlaps(needed, interval) for interval in taken)

    winners = [
        {**asked, "path": answer["location"], "fields": {"reason": "race"}}
        for team, pair in zip(zip(*teams, strict=True), results, strict=True)
        for asked, answer in zip(team, pair, strict=True)
        if answer["status"] == 302
    ]
    # Each presses "Book" twice, from both processes.
    race(server, winners, winners)
    assert Appointment.objects.count() == SLOTS
    assert not OccupiedInterval.objects.filter(hold__isnull=False).exists()
    assert OccupiedInterval.objects.filter(resource_kind="specialist").count() == SLOTS


def test_one_patient_gets_one_of_two_overlapping_times(cast, service, tomorrow, server):
    cast.dr_youssef.rules.all().delete()
    make.working_hours(cast.dr_youssef, time(0), time(0))
    other = make.service(cast.dr_youssef, cast.cardiology, step_minutes=10)
    cast.amina  # noqa: B018 made by being named
    mine = press(cast.amina, service, tomorrow)
    also_mine = press(cast.amina, other, tomorrow + STAGGER)
    [one], [two] = race(server, [mine], [also_mine])
    assert sorted([one["status"], two["status"]]) == [302, 409]
    assert {one["code"], two["code"]} == {"", "slot_taken"}
    loser = one if one["code"] else two
    [(start, end)] = OccupiedInterval.objects.filter(resource_kind="patient").values_list(
        "starts_at", "ends_at"
    )
    for alternative in map(datetime.fromisoformat, loser["alternatives"]):
        assert not overlaps((alternative, alternative + timedelta(minutes=25)), (start, end))
