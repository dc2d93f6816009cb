"""Request ids, error pages and health."""

import logging
import uuid

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import path

from telemed.lib import health
from telemed.lib.request_id import HEADER, reference
from telemed.urls import (  # noqa: F401 - the URL configuration of these tests
    handler400,
    handler403,
    handler404,
    handler500,
    urlpatterns,
)


def broken(request):
    raise RuntimeError("Fatima Zahra El Amrani")


urlpatterns = [*urlpatterns, path("broken/<slug:token>/", broken)]
pytestmark = pytest.mark.urls(__name__)


def test_each_answer_has_an_id_of_its_own(client):
    first, second = (client.get("/healthz").headers[HEADER] for _ in range(2))
    assert uuid.UUID(first) != uuid.UUID(second)


def test_a_clients_id_is_not_taken_over(client):
    assert client.get("/healthz", headers={HEADER: "mine"}).headers[HEADER] != "mine"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status"), [("/nowhere/", 404), ("/broken/aaaabbbbccccddddeeee11/", 500)]
)
def test_an_error_page_tells_its_reference(address, status):
    answer = Client(raise_request_exception=False).get(address)
    assert answer.status_code == status
    assert reference(answer.headers[HEADER]) in answer.content.decode()


@override_settings(ALLOWED_HOSTS=["telemed.example.org"])
def test_a_foreign_host_name_is_a_bad_request(client):
    answer = client.get("/accounts/login/", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    assert reference(answer.headers[HEADER]) in answer.content.decode()


@pytest.mark.django_db
def test_a_form_without_token_is_told_so():
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/")
    assert answer.status_code == 403
    assert reference(answer.headers[HEADER]) in answer.content.decode()


def test_the_log_names_the_route_and_never_the_path(client, caplog):
    client.raise_request_exception = False
    with caplog.at_level(logging.INFO, "telemed.request"):
        client.get("/broken/aaaabbbbccccddddeeee11/")
    lines = [record.getMessage() for record in caplog.records if record.name == "telemed.request"]
    assert lines[0].startswith("GET /broken/<slug:token>/ 500 ")


@pytest.fixture
def parts(monkeypatch):
    """The parts that readiness asks, for this test alone."""
    chosen = dict(health._checks)
    monkeypatch.setattr(health, "_checks", chosen)
    return chosen


def test_a_silent_part_makes_telemed_unready(client, db, parts):
    parts.pop("media", None)
    cache.delete(health.WORKER_HEARTBEAT)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"database": "ok", "redis": "ok", "worker": "no heartbeat"}
    health.worker_is_alive()
    assert client.get("/readyz").status_code == 200


def test_a_part_that_breaks_says_nothing_of_the_installation(client, db, parts):
    def unreachable():
        raise OSError("connection to 10.1.2.3 as telemed:secret failed")

    parts["media"] = unreachable
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["media"] == "does not answer"
