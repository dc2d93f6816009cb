"""Every URL × every role × own and foreign object, held to the table in tests/matrix.py.

The URLs come from the resolver: a view without a line, a line without a view, a method that is
let through without a line, and a cell that changed all fail.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from scheduling import links
from scheduling.actions import issue_link
from scheduling.models import Appointment, Hold, Specialist
from telemed.accounts.models import Organisation, Patient, User
from telemed.accounts.roles import Role
from telemed.audit.actor import SYSTEM
from telemed.lib import clock
from telemed.messaging.models import Message
from tests import make, matrix
from tests.cast import Cast

METHODS = ("GET", "POST")
ROLE_OF = {
    "patient": Role.PATIENT,
    "repres.": Role.PATIENT,
    "presenter": Role.PRESENTER,
    "specialist": Role.SPECIALIST,
    "coordinator": Role.COORDINATOR,
    "admin": Role.ADMINISTRATOR,
    "auditor": Role.AUDITOR,
}


@dataclass
class World:
    """What is own and what is foreign to each person of the table."""

    cast: Cast

    def user(self, column: str) -> User | None:
        return {
            "nobody": None,
            "roleless": self.cast.driss,
            "patient": self.amina.user,
            "repres.": self.cast.fatima,
            "presenter": self.cast.brahim,
            "specialist": self.cast.salma,
            "coordinator": self.cast.karim,
            "admin": self.cast.omar,
            "auditor": self.cast.nadia,
        }[column]

    @cached_property
    def amina(self) -> Patient:
        make.representative(self.cast.amina, self.cast.fatima)
        return self.cast.amina

    @cached_property
    def zineb(self) -> Patient:
        return self.cast.zineb

    @cached_property
    def local_specialist(self) -> Specialist:
        """One whose place is in the coordinator's region."""
        made = make.specialist(
            make.user("hind@cast.example", "Dr Hind Amrani"),
            self.cast.imilchil,
            [self.cast.cardiology],
        )
        make.working_hours(made)
        return made

    @cached_property
    def own_appointment(self) -> Appointment:
        return make.appointment(
            self.amina, self.cast.at_imilchil, make.on_the_hour(clock.now(), 48)
        )

    @cached_property
    def foreign_appointment(self) -> Appointment:
        service = make.service(
            self.cast.dr_youssef,
            self.cast.dermatology,
            patient_place="facility",
            site=self.cast.temara,
        )
        return make.appointment(self.zineb, service, make.on_the_hour(clock.now(), 48))

    def hold(self, user: User | None, hours: int) -> Hold:
        return Hold.objects.create(
            service=self.cast.at_home,
            patient=self.amina,
            held_by=user or self.cast.driss,
            starts_at=make.on_the_hour(clock.now(), hours),
            expires_at=clock.now() + timedelta(minutes=5),
        )

    def failed_message(self, place: Organisation) -> Message:
        message, _created = Message.objects.get_or_create(
            idempotency_key=f"failed at {place.id}",
            defaults={
                "kind": "appointment.booked",
                "channel": "sms",
                "address": "+212661234567",
                "organisation": place.id,
                "due_at": clock.now(),
                "state": "failed",
            },
        )
        return message

    def token(self) -> str:
        return links.token(issue_link(self.own_appointment, "companion", SYSTEM))

    def own(self, name: str, column: str) -> Any:
        local = column == "coordinator"
        match name:
            case "patient":
                return self.amina.id
            case "appointment_id":
                return self.own_appointment.id
            case "hold_id":
                return self.hold(self.user(column), 72).id
            case "specialist_id":
                return (self.local_specialist if local else self.cast.dr_salma).id
            case "entry_id":
                owner = self.local_specialist if local else self.cast.dr_salma
                return owner.rules.first().id
            case "row":
                return self.amina.contacts.get().id
            case "token":
                return self.token()
            case "message_id":
                return self.failed_message(self.cast.imilchil).id
            case "role":
                return ROLE_OF.get(column, Role.PATIENT)
        return self.neutral(name)

    def foreign(self, name: str, column: str) -> Any:
        match name:
            case "patient":
                return self.zineb.id
            case "appointment_id":
                return self.foreign_appointment.id
            case "hold_id":
                return self.hold(self.cast.hassan, 96).id
            case "specialist_id":
                return self.cast.dr_youssef.id
            case "entry_id":
                return self.cast.dr_youssef.rules.first().id
            case "row":
                return self.zineb.contacts.get().id
            case "token":
                return "A" * 48
            case "message_id":
                return self.failed_message(self.cast.temara).id
            case "role":
                return next(role for role in Role if role != ROLE_OF.get(column))
        return self.neutral(name)

    def neutral(self, name: str) -> Any:
        """What is nobody's: catalogue entries and kinds."""
        match name:
            case "service_id":
                return self.cast.at_home.id
            case "speciality":
                return self.cast.cardiology.code
            case "kind":
                return "contact"
        raise KeyError(f"say in World what {name!r} is for each person")


KINDS = {"scheduling:availability_add": "hours", "scheduling:availability_retire": "hours"}
FORM = "application/x-www-form-urlencoded"
OBJECTS = {
    "patient",
    "appointment_id",
    "hold_id",
    "specialist_id",
    "entry_id",
    "row",
    "token",
    "message_id",
    "role",
}


def no_fields(world: World) -> dict[str, Any]:
    return {}


# Forms whose empty answer could not be told from a foreign object's.
FIELDS: dict[str, Callable[[World], dict[str, Any]]] = {
    "scheduling:reassign": lambda world: {"specialist": world.local_specialist.pk},
}


def patterns() -> dict[str, list[str]]:
    """View names with the names of their arguments, of the whole site."""
    found: dict[str, list[str]] = {}

    def walk(resolver: Any, namespace: str, before: list[str]) -> None:
        for entry in resolver.url_patterns:
            names = before + list(entry.pattern.regex.groupindex)
            if isinstance(entry, URLPattern):
                found[f"{namespace}{entry.name}"] = names
            else:
                walk(entry, f"{entry.namespace}:" if entry.namespace else namespace, names)

    walk(get_resolver(), "", [])
    return found


def parsed(text: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            method, name, *cells = line.split()
            assert len(cells) == len(matrix.COLUMNS), f"{len(cells)} cells in: {line}"
            yield method, name, dict(zip(matrix.COLUMNS, cells, strict=True))


ROWS = {(method, name): cells for method, name, cells in parsed(matrix.TABLE)}
OPEN = {
    name: set(methods.split(",")) for name, methods in map(str.split, matrix.OPEN.split("\n")[1:-1])
}
EVERY = [(method, name) for name in sorted(patterns()) for method in METHODS]


@pytest.fixture
def world(cast) -> World:
    made = World(cast)
    users = [made.user(column) for column in matrix.COLUMNS[1:]]
    things = [made.own_appointment, made.foreign_appointment, made.local_specialist]
    assert all([*users, *things, cast.at_home, cast.hassan]), "made before any cell is rolled back"
    return made


def arguments(world: World, name: str, column: str, *, own: bool) -> dict[str, Any]:
    made = {
        part: world.own(part, column) if own else world.foreign(part, column)
        for part in patterns()[name]
    }
    if name in KINDS:
        made["kind"] = KINDS[name]
    return made


def outcome(world: World, method: str, name: str, column: str, *, own: bool) -> str:
    """What this person gets. Whatever it did is rolled back."""
    with transaction.atomic():
        client = Client()
        user = world.user(column)
        if user is not None:
            client.force_login(user)
        url = reverse(name, kwargs=arguments(world, name, column, own=own))
        body = urlencode(FIELDS.get(name, no_fields)(world))
        answer = client.generic(method, url, body, content_type=FORM)
        transaction.set_rollback(True)
    return told(answer)


def told(answer: Any) -> str:
    location = answer.headers.get("Location", "")
    if location.startswith("/accounts/login/"):
        return "in"
    if answer.status_code in (403, 404, 405):
        return str(answer.status_code)
    # 503: let in, but no media process runs beside these tests.
    assert answer.status_code < 500 or answer.status_code == 503, answer
    return "yes"


def cell(world: World, method: str, name: str, column: str) -> str:
    one = outcome(world, method, name, column, own=True)
    if not OBJECTS & set(patterns()[name]):
        return one
    other = outcome(world, method, name, column, own=False)
    return one if one == other else f"{one}/{other}"


def test_every_view_has_a_line_and_every_line_a_view():
    named = {name for _, name in ROWS} | set(OPEN)
    assert sorted(set(patterns()) - named) == []
    assert sorted(named - set(patterns())) == []


@pytest.mark.parametrize(("method", "name"), EVERY)
def test_everybody_gets_what_the_table_says(world, method, name):
    if method in OPEN.get(name, set()):
        return
    if (method, name) in ROWS:
        found = {column: cell(world, method, name, column) for column in matrix.COLUMNS}
        assert found == ROWS[method, name]
    else:
        found = {one: outcome(world, method, name, one, own=True) for one in matrix.COLUMNS}
        assert "yes" not in found.values(), f"let in without a line in the table: {found}"


@pytest.mark.parametrize(
    "name", [n for n, parts in sorted(patterns().items()) if OBJECTS & set(parts)]
)
def test_foreign_is_absent(world, name):
    """An object that exists and is foreign answers exactly as one that does not exist."""
    for column in matrix.COLUMNS:
        client = Client()
        user = world.user(column)
        if user is not None:
            client.force_login(user)
        foreign = arguments(world, name, column, own=False)
        absent = {
            part: uuid.uuid4() if isinstance(value, uuid.UUID) and part in OBJECTS else value
            for part, value in foreign.items()
        }
        one, other = (client.get(reverse(name, kwargs=kwargs)) for kwargs in (foreign, absent))
        assert one.status_code == other.status_code
        if one.status_code == 404:
            assert without_reference(one.text) == without_reference(other.text)


def without_reference(page: str) -> str:
    """The number that each error page gives to the help desk is its own."""
    return re.sub(r'(?<=class="reference">).*?(?=</p>)', "", page)
