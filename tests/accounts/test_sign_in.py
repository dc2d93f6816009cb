"""Signing up, signing in, second steps, and what strangers cannot find out."""

import re
import socket
import threading
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.utils.html import escape
from fakeredis import TcpFakeServer

from telemed.accounts import sessions, staff
from telemed.accounts.access import viewer_of
from telemed.accounts.models import Patient, User
from telemed.accounts.passkeys import refusal
from telemed.accounts.roles import May
from telemed.audit.actor import SYSTEM
from telemed.audit.models import Event
from telemed.lib import clock
from telemed.messaging import delivery
from telemed.messaging.models import Message, ShownMessage
from tests import make

PASSWORD = "a long and rare passphrase"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _mail_is_shown(settings):
    settings.EMAIL_BACKEND = "telemed.messaging.backends.ShownEmailBackend"


def account(email="moha@cast.example", name="Moha Naciri", **fields) -> User:
    user = make.user(email, name, password=PASSWORD, **fields)
    if email:
        EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    return user


def sign_in(client, login, password=PASSWORD):
    return client.post("/accounts/login/", {"login": login, "password": password})


def signed_in(client) -> bool:
    return "_auth_user_id" in client.session


def deliver():
    for id in delivery.due(clock.now(), 50):
        delivery.deliver(id)


def last_shown(channel) -> str:
    deliver()
    message = ShownMessage.objects.filter(channel=channel).order_by("shown_at").last()
    return message.text if message else ""


def code_in(text) -> str:
    """Codes stand on a line or in a sentence of their own: letters and digits, a hyphen."""
    found = re.findall(r"\b(?=[A-Z0-9-]*[0-9-])[A-Z0-9]{3,4}-?[A-Z0-9]{3,4}\b", text)
    return found[0]


# --- first steps


@pytest.mark.parametrize("login", ["moha@cast.example", "MOHA@cast.example"])
def test_it_works(client, login):
    account()
    assert sign_in(client, login)["Location"] == "/"
    assert signed_in(client)
    assert Event.objects.filter(action="sign_in", outcome="done").count() == 1


def test_a_wrong_password_is_refused_and_audited_without_what_was_typed(client):
    account()
    answer = sign_in(client, "moha@cast.example", "wrong")
    assert answer.status_code == 200
    assert not signed_in(client)
    event = Event.objects.get(action="sign_in")
    assert (event.outcome, event.code, event.actor) == ("refused", "wrong_credentials", None)


def test_a_code_by_mail_signs_in(client):
    account()
    client.post("/accounts/login/code/", {"email": "moha@cast.example"})
    answer = client.post("/accounts/login/code/confirm/", {"code": code_in(last_shown("email"))})
    assert answer["Location"] == "/"
    assert signed_in(client)


def test_a_code_is_never_sent_to_a_phone_as_the_first_step(client):
    account(phone="0661234567")
    form = {"phone": "+212661234567"}
    answer = client.post("/accounts/login/code/", form)
    assert answer.status_code == 200
    assert "phone" not in answer.context["form"].fields
    client.post("/accounts/login/code/", form | {"email": ""})
    assert not Message.objects.filter(channel="sms").exists()


def test_a_phone_and_a_password_still_need_the_code_sent_to_it(client):
    account(phone="0661234567")
    answer = sign_in(client, "06 61 23 45 67")
    assert answer["Location"] == "/accounts/login/code/confirm/"
    assert not signed_in(client)
    deliver()
    message = ShownMessage.objects.get(channel="sms")
    assert message.address == "+212661234567"
    client.post("/accounts/login/code/confirm/", {"code": code_in(message.text)})
    assert signed_in(client)


def test_a_phone_without_an_address_signs_in_the_same_way(client):
    account(email=None, phone="0661234567")
    sign_in(client, "+212661234567")
    client.post("/accounts/login/code/confirm/", {"code": code_in(last_shown("sms"))})
    assert signed_in(client)


def test_a_wrong_code_does_not_sign_in(client):
    account(phone="0661234567")
    sign_in(client, "0661234567")
    client.post("/accounts/login/code/confirm/", {"code": "000000"})
    assert not signed_in(client)


def test_without_the_mail_server_the_page_answers_and_the_code_comes_later(client, settings, clock):
    account(phone="0661234567")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    settings.SMS_PROVIDER, settings.SMS_HTTP_URL = "http", "http://127.0.0.1:1/"
    client.post("/accounts/login/code/", {"email": "moha@cast.example"})
    answer = sign_in(client.__class__(), "0661234567")
    assert answer["Location"] == "/accounts/login/code/confirm/"
    deliver()
    assert set(Message.objects.values_list("state", flat=True)) == {"due"}
    settings.EMAIL_BACKEND = "telemed.messaging.backends.ShownEmailBackend"
    clock.move(timedelta(minutes=1))
    client.post("/accounts/login/code/confirm/", {"code": code_in(last_shown("email"))})
    assert signed_in(client)


def test_a_code_that_nobody_can_use_any_more_is_not_sent(client, clock):
    account()
    client.post("/accounts/login/code/", {"email": "moha@cast.example"})
    clock.move(timedelta(minutes=11))
    deliver()
    assert Message.objects.get().state == "dropped"
    assert not ShownMessage.objects.exists()


def test_words_stand_sealed_in_the_database(client):
    account()
    client.post("/accounts/login/code/", {"email": "moha@cast.example"})
    code = code_in(last_shown("email"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM messaging_written")
        assert code.encode() not in bytes(cursor.fetchone()[0])


def test_a_code_ends_after_ten_minutes(client, settings):
    assert settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT <= 600


def test_a_number_becomes_a_login_once_its_code_is_given(client):
    user = account()
    make.sign_in_again(client, user)
    client.post("/accounts/phone/change/", {"phone": "0661 23 45 67"})
    user.refresh_from_db()
    assert user.phone == ""
    client.post("/accounts/phone/verify/", {"code": code_in(last_shown("sms"))})
    user.refresh_from_db()
    assert (user.phone, user.phone_verified) == ("+212661234567", True)
    assert user.phone_index


def test_changing_the_number_asks_for_the_password_again(client):
    client.force_login(account())
    answer = client.post("/accounts/phone/change/", {"phone": "0661234567"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not Message.objects.filter(channel="sms").exists()


def test_a_number_that_is_anothers_login_is_not_taken_and_looks_the_same(client):
    other = account(email="other@cast.example", phone="0661234567")
    make.sign_in_again(client, account())
    answer = client.post("/accounts/phone/change/", {"phone": "0661234567"})
    assert answer["Location"] == "/accounts/phone/verify/"
    client.post("/accounts/phone/verify/", {"code": "000000"})
    other.refresh_from_db()
    assert other.phone == "+212661234567"


# --- signing up


def form(cast, **changes):
    return {
        "given": "Rkia",
        "family": "Ouhaddou",
        "birth_date": "1990-02-03",
        "region": str(cast.draa.id),
        "contact_phone": "0661234567",
        "phone_shared": "on",
        "messages_wanted": "on",
        "spoken_languages": ["tzm", "ary"],
        "email": "rkia@cast.example",
        "password1": PASSWORD,
    } | changes


def test_signing_up_makes_a_patient_of_the_region(client, cast):
    answer = client.post("/accounts/signup/", form(cast))
    assert answer["Location"] == "/accounts/confirm-email/"
    assert not signed_in(client)
    client.post("/accounts/confirm-email/", {"code": code_in(last_shown("email"))})
    assert signed_in(client)
    patient = Patient.objects.get()
    assert patient.user.email == "rkia@cast.example"
    assert patient.organisation == cast.draa
    assert patient.names.get().family == "Ouhaddou"
    assert patient.contacts.get().contact_point.value == "+212661234567"
    assert patient.contacts.get().shared
    assert patient.messages_wanted
    assert patient.spoken_languages == ["tzm", "ary"]
    assert patient.user.phone == "", "a contact point is no login"
    assert patient.user.has_usable_password()
    mine = viewer_of(patient.user, patient.received_at).patients(May.APPOINTMENT_BOOK_OWN)
    assert list(mine) == [patient]


def test_reminders_are_wanted_unless_said_otherwise_and_a_phone_is_ones_own(client, cast):
    asked = client.get("/accounts/signup/").context["form"]
    assert asked["messages_wanted"].initial
    assert not asked["phone_shared"].initial
    plain = {"phone_shared": "", "messages_wanted": "", "spoken_languages": []}
    client.post("/accounts/signup/", form(cast, **plain))
    patient = Patient.objects.get()
    assert (patient.messages_wanted, patient.contacts.get().shared) == (False, False)


def test_a_stranger_who_signs_up_with_my_address_never_signs_in_with_their_password(client, cast):
    stranger = client.__class__()
    stranger.post("/accounts/signup/", form(cast))
    client.post("/accounts/login/code/", {"email": "rkia@cast.example"})
    client.post("/accounts/login/code/confirm/", {"code": code_in(last_shown("email"))})
    assert client.get("/").status_code == 200, "signed in, and stays so"
    for one in (stranger, stranger.__class__()):
        sign_in(one, "rkia@cast.example")
        assert not signed_in(one)
    user = User.objects.get(email="rkia@cast.example")
    assert not user.has_usable_password()
    assert Event.objects.filter(action="password.void", actor=user.id).count() == 1


def test_whoever_knows_the_password_may_prove_the_address_later(client, cast):
    client.post("/accounts/signup/", form(cast))
    cache.clear()  # a second mail within three minutes is refused
    later = client.__class__()
    assert sign_in(later, "rkia@cast.example")["Location"] == "/accounts/confirm-email/"
    later.post("/accounts/confirm-email/", {"code": code_in(last_shown("email"))})
    assert signed_in(later)
    assert User.objects.get(email="rkia@cast.example").has_usable_password()


def test_an_arabic_name_is_kept_in_arabic(client, cast):
    client.post("/accounts/signup/", form(cast, given="رقية", family="أوحدو"))
    assert Patient.objects.get().names.get().script == "Arab"
    assert User.objects.get(email="rkia@cast.example").name_ar == "رقية أوحدو"


@pytest.mark.parametrize(
    ("field", "value"),
    [("birth_date", "2090-01-01"), ("region", ""), ("contact_phone", "12"), ("given", "")],
)
def test_mistakes_are_told_and_make_nobody(client, cast, field, value):
    answer = client.post("/accounts/signup/", form(cast, **{field: value}))
    assert answer.context["form"].errors[field]
    assert not Patient.objects.exists()


# --- what strangers cannot find out


def test_signing_up_with_a_known_address_looks_like_any_other(client, cast):
    account(email="rkia@cast.example")
    known = client.post("/accounts/signup/", form(cast))
    new = client.post("/accounts/signup/", form(cast, email="new@cast.example"))
    assert (known.status_code, known["Location"]) == (new.status_code, new["Location"])
    assert not Patient.objects.filter(user__email="rkia@cast.example").exists()


def test_asking_for_a_code_or_a_new_password_tells_nothing(client):
    account()
    for url in ("/accounts/login/code/", "/accounts/password/reset/"):
        known = client.post(url, {"email": "moha@cast.example"})
        client.session.flush()
        unknown = client.post(url, {"email": "nobody@cast.example"})
        assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


def test_a_wrong_password_and_an_unknown_address_read_the_same(client):
    account()
    known = sign_in(client, "moha@cast.example", "wrong").context["form"].errors
    unknown = sign_in(client, "nobody@cast.example", "wrong").context["form"].errors
    assert known == unknown


# --- rate limits


def test_guessing_a_password_ends_soon(client):
    account()
    for _ in range(10):
        sign_in(client, "moha@cast.example", "wrong")
    answer = sign_in(client, "moha@cast.example")
    assert not signed_in(client)
    assert answer.status_code in (200, 429)


def test_the_limit_is_shared_by_all_processes_of_the_embedded_default(settings):
    """A limit kept in one process's memory would be none: the count stands in Redis."""
    assert settings.CACHES["default"]["BACKEND"] == "django.core.cache.backends.redis.RedisCache"
    cache.set("shared", 1)
    assert cache._cache.get_client().exists(cache.make_key("shared"))


@pytest.fixture
def _fakeredis(settings):
    """What ``make run`` starts where no redis-server is installed."""
    server = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{server.server_address[1]}/0",
        }
    }
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("_fakeredis")
def test_the_limit_holds_without_a_redis_server_too(client):
    account()
    for _ in range(10):
        client.__class__().post(
            "/accounts/login/", {"login": "moha@cast.example", "password": "wrong"}
        )
    sign_in(client, "moha@cast.example")
    assert not signed_in(client)


@pytest.fixture
def silent_port():
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("is_silent", [False, True])
def test_without_the_cache_nobody_signs_in_and_the_page_says_so(
    client, settings, silent_port, is_silent
):
    account()
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{silent_port if is_silent else 1}/0",
            "OPTIONS": {"socket_timeout": 0.2},
        }
    }
    answer = sign_in(client, "moha@cast.example")
    assert answer.status_code == 503
    assert not signed_in(client)
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


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


# --- asked again before a sensitive act


def test_the_password_given_again_counts_for_a_while(client):
    account()
    sign_in(client, "moha@cast.example")
    assert client.get("/accounts/2fa/totp/activate/")["Location"].startswith(
        "/accounts/reauthenticate/"
    )
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert client.get("/accounts/2fa/totp/activate/").status_code == 200


def test_changing_the_address_asks_for_the_password_again_and_then_goes_on(client):
    user = account()
    sign_in(client, "moha@cast.example")
    form = {"email": "new@cast.example", "action_add": ""}
    answer = client.post("/accounts/email/", form)
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not Message.objects.exists()
    client.post(answer["Location"], {"password": PASSWORD, "next": "/accounts/email/"})
    client.post("/accounts/confirm-email/", {"code": code_in(last_shown("email"))})
    user.refresh_from_db()
    assert user.email == "new@cast.example"
    assert user.has_usable_password()
    assert Message.objects.filter(channel="email").count() == 2, "the old address is told"


# --- passkeys


@pytest.mark.parametrize(
    ("host", "secure", "possible"),
    [
        ("telemed.example", True, True),
        ("telemed.example:8443", True, True),
        ("localhost:8000", False, True),
        ("telemed.example", False, False),
        ("192.168.1.20:8443", True, False),
        ("[2001:db8::1]:8443", True, False),
        ("[::1]", True, False),
        ("127.0.0.1:8000", False, False),
    ],
)
def test_passkeys_work_at_a_secure_name_only(host, secure, possible):
    assert (refusal(host, secure=secure) == "") is possible


def test_at_a_network_address_the_page_says_why_there_are_no_passkeys(client, cast):
    client.force_login(cast.brahim)
    headers = {"host": "192.168.1.20:8443", "accept-language": "en"}
    page = client.get("/accounts/2fa/", headers=headers)
    assert page.context["passkey_refusal"]
    assert escape(page.context["passkey_refusal"]) in page.text


def test_at_a_network_address_no_passkey_is_begun(client):
    account()
    sign_in(client, "moha@cast.example")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    address, name = {"host": "192.168.1.20:8443"}, {"host": "localhost"}
    assert client.get("/accounts/2fa/webauthn/add/", headers=address).status_code == 400
    assert client.get("/accounts/2fa/webauthn/add/", headers=name).status_code == 200
    assert "passkey_login" not in client.__class__().get("/accounts/login/", headers=address).text
