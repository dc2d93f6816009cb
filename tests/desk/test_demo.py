"""manage.py demo: seeding twice is seeding once, and the purge leaves nothing behind."""

from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.management import CommandError, call_command

from telemed.accounts.access import viewer_of
from telemed.accounts.models import User
from telemed.accounts.roles import Role
from telemed.desk.demo import cast
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
    before = rows()
    demo()
    demo(purge=True)
    assert rows() == before


def test_amina_cares_for_her_son():
    demo()
    amina = viewer_of(User.objects.get(email="amina@demo.example"), clock.now())
    assert Role.PATIENT in amina.roles
    assert len(amina.representations) == 1


def test_it_does_not_run_among_real_people(settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError):
        demo()
