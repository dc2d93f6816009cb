"""Second factors, and how long a session lasts."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.usersessions.models import UserSession
from django.core.management import call_command
from django.db import connection

from telemed.accounts import sessions, staff
from telemed.audit.actor import SYSTEM
from telemed.audit.models import Event
from tests.accounts.signing import account, code_in, last_shown, sign_in, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _mail_is_shown(settings):
    settings.EMAIL_BACKEND = "telemed.messaging.backends.ShownEmailBackend"


# --- second factors


def with_totp(user) -> TOTP:
    return TOTP.activate(user, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")


def totp_code() -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", counter))


def test_a_second_factor_is_asked_after_the_password(client):
    with_totp(account())
    assert sign_in(client, "moha@cast.example")["Location"] == "/accounts/2fa/authenticate/"
    assert not signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": totp_code()})
    assert signed_in(client)


def test_a_second_factor_is_asked_after_a_mailed_code_too(client):
    with_totp(account())
    client.post("/accounts/login/code/", {"email": "moha@cast.example"})
    client.post("/accounts/login/code/confirm/", {"code": code_in(last_shown("email"))})
    assert not signed_in(client)


def test_secrets_of_second_factors_stand_sealed_in_the_database():
    with_totp(account())
    assert "JBSWY3DP" not in str(Authenticator.objects.get().data)
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator")
        assert "JBSWY3DP" not in str(cursor.fetchall())


def test_rotation_seals_second_factors_again(client, settings):
    with_totp(account())
    settings.FIELD_KEYS = {"new": "n" * 32, **settings.FIELD_KEYS}
    call_command("rotate_field_keys", verbosity=0)
    settings.FIELD_KEYS = {"new": "n" * 32}
    sign_in(client, "moha@cast.example")
    client.post("/accounts/2fa/authenticate/", {"code": totp_code()})
    assert signed_in(client)


def test_professionals_need_a_second_factor_where_it_is_required(client, cast, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client.force_login(cast.brahim)
    assert client.get("/patients/")["Location"] == "/accounts/2fa/"
    with_totp(cast.brahim)
    assert client.get("/patients/").status_code == 200


def test_patients_do_not(client, cast, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client.force_login(cast.amina.user)
    assert client.get("/audit/mine/", follow=True).status_code == 200


# --- sessions


def test_sessions_are_listed_and_ended(client, cast):
    client.force_login(cast.brahim)
    other = client.__class__()
    other.force_login(cast.brahim)
    for browser in (client, other):
        browser.get("/patients/")
    rows = UserSession.objects.filter(user=cast.brahim)
    assert rows.count() == 2
    assert client.get("/accounts/sessions/").status_code == 200
    client.post("/accounts/sessions/")
    assert client.get("/patients/").status_code == 200
    assert other.get("/patients/").status_code == 302


@pytest.fixture
def _limits(settings, clock):
    settings.SESSION_IDLE = timedelta(minutes=60)
    settings.SESSION_ABSOLUTE = timedelta(hours=12)


@pytest.mark.usefixtures("_limits")
def test_an_idle_session_ends(client, cast, clock):
    client.force_login(cast.brahim)
    assert client.get("/patients/").status_code == 200
    clock.move(timedelta(minutes=59))
    assert client.get("/patients/").status_code == 200
    clock.move(timedelta(minutes=61))
    assert client.get("/patients/").status_code == 302
    assert Event.objects.filter(action="session.expire").count() == 1


@pytest.mark.usefixtures("_limits")
def test_a_session_ends_however_busy_it_is(client, cast, clock):
    client.force_login(cast.brahim)
    for _ in range(24):
        assert client.get("/patients/").status_code == 200
        clock.move(timedelta(minutes=30))
    clock.move(timedelta(minutes=1))
    assert client.get("/patients/").status_code == 302


@pytest.mark.usefixtures("_limits")
def test_what_a_page_fetches_by_itself_keeps_no_session(client, cast, clock):
    client.force_login(cast.brahim)
    client.get("/patients/")
    for _ in range(3):
        clock.move(timedelta(minutes=25))
        answer = client.get("/patients/", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == "/accounts/login/"


@pytest.mark.usefixtures("_limits")
def test_no_limit_interrupts_a_call(client, cast, clock, monkeypatch):
    in_call = {cast.brahim.id}
    monkeypatch.setattr(sessions, "_occupations", [])
    sessions.lasts_while(lambda user: user.id in in_call)
    client.force_login(cast.brahim)
    client.get("/patients/")
    clock.move(timedelta(hours=13))
    assert client.get("/patients/").status_code == 200
    in_call.clear()
    assert client.get("/patients/").status_code == 302


def test_a_deactivated_users_sessions_end_at_once(client, cast):
    client.force_login(cast.brahim)
    assert client.get("/patients/").status_code == 200
    staff.deactivate(cast.brahim, SYSTEM)
    assert client.get("/patients/").status_code == 302
    assert not UserSession.objects.filter(user=cast.brahim).exists()
    assert Event.objects.filter(action="user.deactivate", subject=cast.brahim.id).exists()
