"""manage.py demo: seeding twice is seeding once, and the purge leaves nothing behind."""

from datetime import timedelta
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.management import CommandError, call_command

from scheduling import queries
from scheduling.access import appointments_in
from scheduling.actions.book import book_at
from scheduling.models import Appointment, Service
from scheduling.rules import join_window
from scheduling.seed import load_reference
from telemed.accounts.access import viewer_of
from telemed.accounts.models import Patient, User
from telemed.accounts.roles import May, Role
from telemed.audit.actor import SYSTEM
from telemed.desk.demo import cast, visits
from telemed.desk.demo.ids import demo_id
from telemed.lib import clock

pytestmark = pytest.mark.django_db
OURS = ("telemed.accounts", "telemed.messaging", "telemed.records", "scheduling", "consultations")


def rows():
    """How many rows each model of ours has, and allauth's addresses."""
    models = [model for name in OURS for model in apps.get_app_config(_label(name)).get_models()]
    return {model._meta.label: model._base_manager.count() for model in (*models, EmailAddress)}


def _label(name):
    return name.rpartition(".")[2]


def demo(**options):
    said = StringIO()
    call_command("demo", stdout=said, **options)
    return said.getvalue()


def test_it_says_what_each_person_signs_in_with(client):
    said = demo()
    for person in cast.PEOPLE:
        assert person.email in said
        user = User.objects.get(email=person.email)
        assert user.check_password(cast.PASSWORD)
        assert person.role in viewer_of(user, clock.now()).roles


def test_twice_is_once():
    demo()
    once = rows()
    demo()
    assert rows() == once


def test_nothing_stays_after_the_purge():
    load_reference()  # is not the demonstration's: it stays
    before = rows()
    demo()
    demo(purge=True)
    assert rows() == before


def test_amina_can_join_a_visit_now():
    demo()
    now = clock.now()
    amina = Patient.objects.get(user__email="amina@demo.example")
    visit = Appointment.objects.filter(patient=amina).latest("starts_at")
    assert visit.specialist.user.email == "dr.salma@demo.example"
    opens, closes = join_window(visit.starts_at, visit.ends_at)
    assert opens <= now < closes


def test_each_start_makes_one_to_join_again(settings, tmp_path):
    settings.CLOCK_OFFSET_FILE = tmp_path / "clock"
    demo()
    clock.move(timedelta(hours=3))
    demo()
    now = clock.now()
    amina = Patient.objects.get(user__email="amina@demo.example")
    newest = Appointment.objects.filter(patient=amina).latest("starts_at")
    assert newest.starts_at - timedelta(minutes=15) <= now < newest.ends_at


def test_free_times_begin_within_15_minutes_when_both_cardiologists_are_busy():
    demo()
    now = clock.now()
    services = list(queries.bookable_services())
    known = queries.diary([(row, row.specialist_id) for row in services], None, now)
    colleague = Service.objects.get(pk=demo_id(visits.AT_HOME_ELSE))
    taken = next(queries.free_starts(colleague, colleague.specialist_id, None, known, now))
    someone = Patient.objects.get(pk=demo_id("patient:yassine"))
    book_at(colleague, taken, someone, SYSTEM)
    known = queries.diary([(row, row.specialist_id) for row in services], None, now)
    starts = [
        next(queries.free_starts(row, row.specialist_id, None, known, now)) for row in services
    ]
    assert min(starts) <= now + timedelta(minutes=15)


def test_a_visit_at_the_centre_comes_today():
    demo()
    brahim = viewer_of(User.objects.get(email="brahim@demo.example"), clock.now())
    visits = appointments_in(brahim, May.CENTRE_DAY).filter(patient_place="facility")
    assert visits.filter(starts_at__lt=clock.now() + timedelta(hours=2)).exists()


def test_amina_cares_for_her_son():
    demo()
    amina = viewer_of(User.objects.get(email="amina@demo.example"), clock.now())
    assert Role.PATIENT in amina.roles
    assert len(amina.representations) == 1


def test_it_does_not_run_among_real_people(settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError):
        demo()
