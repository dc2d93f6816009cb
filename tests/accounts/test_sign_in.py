"""Signing up, signing in, second steps, and what strangers cannot find out."""

import socket
import threading
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils.html import escape
from fakeredis import TcpFakeServer

from telemed.accounts.access import viewer_of
from telemed.accounts.models import Patient, User
from telemed.accounts.passkeys import refusal
from telemed.accounts.roles import May
from telemed.audit.models import Event
from telemed.messaging.models import Message, ShownMessage
from tests import make
from tests.accounts.signing import (
    PASSWORD,
    account,
    code_in,
    deliver,
    last_shown,
    sign_in,
    signed_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _mail_is_shown(settings):
    settings.EMAIL_BACKEND = "telemed.messaging.backends.ShownEmailBackend"


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
