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
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from consultations import pictures, processes, recordings
from consultations.models import ConsentOverride, Consultation, Picture, Recording, Room
from scheduling import links
from scheduling.actions import issue_link
from scheduling.models import Appointment, Hold, Specialist
from telemed.accounts.models import Organisation, Patient, User
from telemed.accounts.roles import Role
from telemed.audit.actor import SYSTEM
from telemed.lib import clock
from telemed.lib.sealed_file import SealedWriter, new_key
from telemed.messaging.models import Message
from telemed.records.models import Note, Summary
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

    @cached_property
    def own_note(self) -> Note:
        return written(self.own_appointment)

    @cached_property
    def foreign_note(self) -> Note:
        return written(self.foreign_appointment)

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

    @cached_property
    def retired(self) -> Organisation:
        return make.organisation("facility", "Fermé", retired_at=clock.now())

    @cached_property
    def own_recording(self) -> Recording:
        return recorded(self.own_note)

    @cached_property
    def foreign_recording(self) -> Recording:
        return recorded(self.foreign_note)

    @cached_property
    def own_picture(self) -> Picture:
        return pictured(self.own_note)

    @cached_property
    def foreign_picture(self) -> Picture:
        return pictured(self.foreign_note)

    def media_process(self) -> str:
        return processes.register("m1").name

    def passkey(self, user: User | None) -> Authenticator:
        """This person's own; for a stranger Hassan's."""
        found, _created = Authenticator.objects.get_or_create(
            user=user or self.cast.hassan, type=Authenticator.Type.WEBAUTHN, data={"name": "Key"}
        )
        return found

    def diary(self, column: str) -> Specialist:
        return self.local_specialist if column == "coordinator" else self.cast.dr_salma


# Each argument of a URL: whose it is to the person of a column, and whose it is not.
Thing = Callable[[World, str], Any]
THINGS: dict[str, tuple[Thing, Thing]] = {
    "patient": (lambda w, c: w.amina.id, lambda w, c: w.zineb.id),
    "appointment_id": (lambda w, c: w.own_appointment.id, lambda w, c: w.foreign_appointment.id),
    "hold_id": (lambda w, c: w.hold(w.user(c), 72).id, lambda w, c: w.hold(w.cast.hassan, 96).id),
    "specialist_id": (lambda w, c: w.diary(c).id, lambda w, c: w.cast.dr_youssef.id),
    "name": (lambda w, c: w.media_process(), lambda w, c: "m99"),
    "entry_id": (
        lambda w, c: w.diary(c).rules.first().id,
        lambda w, c: w.cast.dr_youssef.rules.first().id,
    ),
    "row": (lambda w, c: w.amina.contacts.get().id, lambda w, c: w.zineb.contacts.get().id),
    "token": (lambda w, c: w.token(), lambda w, c: "A" * 48),
    "message_id": (
        lambda w, c: w.failed_message(w.cast.imilchil).id,
        lambda w, c: w.failed_message(w.cast.temara).id,
    ),
    "override_id": (
        lambda w, c: overridden(w.own_note).id,
        lambda w, c: overridden(w.foreign_note).id,
    ),
    "role": (
        lambda w, c: ROLE_OF.get(c, Role.PATIENT),
        lambda w, c: next(role for role in Role if role != ROLE_OF.get(c)),
    ),
    "consultation_id": (
        lambda w, c: w.own_note.consultation_id,
        lambda w, c: w.foreign_note.consultation_id,
    ),
    "user_id": (lambda w, c: w.cast.salma.id, lambda w, c: w.amina.user_id),
    "offer_id": (lambda w, c: w.cast.at_home.id, lambda w, c: w.foreign_appointment.service_id),
    "membership_id": (
        lambda w, c: w.cast.salma.memberships.get().id,
        lambda w, c: w.cast.brahim.memberships.get().id,
    ),
    "organisation_id": (lambda w, c: w.cast.imilchil.id, lambda w, c: w.retired.id),
    "recording_id": (lambda w, c: w.own_recording.id, lambda w, c: w.foreign_recording.id),
    "picture_id": (lambda w, c: w.own_picture.id, lambda w, c: w.foreign_picture.id),
    "pk": (lambda w, c: w.passkey(w.user(c)).pk, lambda w, c: w.passkey(w.cast.hassan).pk),
    "note_id": (lambda w, c: w.own_note.id, lambda w, c: w.foreign_note.id),
}
# Nobody's: catalogue entries and kinds.
NEUTRAL: dict[str, Callable[[World], Any]] = {
    "service_id": lambda w: w.cast.at_home.id,
    "speciality": lambda w: w.cast.cardiology.code,
    "kind": lambda w: "contact",
    "number": lambda w: 0,
}


def overridden(note: Note) -> ConsentOverride:
    return ConsentOverride.objects.create(
        organisation=note.organisation,
        consultation=note.consultation,
        declared_by=note.author,
        reason="Unconscious",
    )


def recorded(note: Note) -> Recording:
    """A recording that its specialist has handed to the patient, with one film."""
    made = Recording.objects.create(
        organisation=note.organisation,
        consultation=note.consultation,
        started_by=note.author,
        state="ready",
        key=new_key(),
        films=[{"participant": str(note.pk), "kind": "person"}],
        released_at=clock.now(),
    )
    path, name = recordings.film_path(made.pk, 0), recordings.film_name(made.pk, 0)
    with SealedWriter(path, made.key, name) as film:
        film.write(b"WebM")
    return made


def pictured(note: Note) -> Picture:
    """A picture that is kept, in the visit of this note."""
    room = Room.objects.create(consultation=note.consultation)
    made = make.picture(room, "patient", state="ready")
    name = pictures.kept_name(made.pk)
    with SealedWriter(pictures.kept_path(made.pk), made.key, name) as file:
        file.write(b"JPEG")
    return made


def written(appointment: Appointment) -> Note:
    """A draft and a released summary of this appointment's visit."""
    author, place = appointment.specialist.user, appointment.organisation
    visit = Consultation.objects.create(organisation=place, appointment=appointment)
    Summary.objects.create(
        organisation=place,
        consultation=visit,
        author=author,
        language="fr",
        text="…",
        released_at=clock.now(),
    )
    return Note.objects.create(
        organisation=place, consultation=visit, author=author, text="…", saved_at=clock.now()
    )


KINDS = {"scheduling:availability_add": "hours", "scheduling:availability_retire": "hours"}
FORM = "application/x-www-form-urlencoded"
SENSITIVE = {
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
    "patients:add_representative",
    "patients:link",
    "records:sign",
    "people:add",
    "people:grant",
    "people:end",
    "people:close",
    "people:reopen",
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
def world(cast, settings, tmp_path) -> World:
    settings.RECORDINGS_DIR = settings.PICTURES_DIR = tmp_path
    made = World(cast)
    users = [made.user(column) for column in matrix.COLUMNS[1:]]
    things = [made.own_note, made.foreign_note, made.local_specialist, made.retired]
    things += [made.own_recording, made.foreign_recording]
    things += [made.own_picture, made.foreign_picture]
    assert all([*users, *things, cast.at_home, cast.hassan]), "made before any cell is rolled back"
    return made


def arguments(world: World, name: str, column: str, *, own: bool) -> dict[str, Any]:
    made = {}
    for part in patterns()[name]:
        if part in NEUTRAL:
            made[part] = NEUTRAL[part](world)
        else:
            mine, theirs = THINGS[part]
            made[part] = (mine if own else theirs)(world, column)
    if name in KINDS:
        made["kind"] = KINDS[name]
    return made


def enter(world: World, name: str, column: str) -> Client:
    client = Client()
    user = world.user(column)
    if user is not None and name in SENSITIVE:
        make.sign_in_again(client, user)
    elif user is not None:
        client.force_login(user)
    return client


def outcome(world: World, method: str, name: str, column: str, *, own: bool) -> str:
    """What this person gets. Whatever it did is rolled back."""
    with transaction.atomic():
        client = enter(world, name, column)
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
    if not set(THINGS) & set(patterns()[name]):
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
    "name", [n for n, parts in sorted(patterns().items()) if set(THINGS) & set(parts)]
)
def test_foreign_is_absent(world, name):
    """An object that exists and is foreign answers exactly as one that does not exist."""
    for column in matrix.COLUMNS:
        client = enter(world, name, column)
        foreign = arguments(world, name, column, own=False)
        absent = {
            part: nobodys(value) if part in THINGS else value for part, value in foreign.items()
        }
        one, other = (client.get(reverse(name, kwargs=kwargs)) for kwargs in (foreign, absent))
        assert one.status_code == other.status_code
        if one.status_code == 404:
            assert without_reference(one.text) == without_reference(other.text)


def nobodys(value: Any) -> Any:
    """A key of the same kind that no row has."""
    if isinstance(value, uuid.UUID):
        return uuid.uuid4()
    return value + 10**6 if isinstance(value, int) else value


def without_reference(page: str) -> str:
    """The number that each error page gives to the help desk is its own."""
    return re.sub(r'(?<=class="reference">).*?(?=</p>)', "", page)
