"""The summary: written, handed over once, read as page and paper, told by message."""

import pytest
from allauth.account.models import EmailAddress

from telemed.accounts.access import viewer_of
from telemed.accounts.roles import May
from telemed.audit.models import Event
from telemed.lib import clock
from telemed.messaging import delivery
from telemed.messaging.models import Message, ShownMessage
from telemed.records import actions
from telemed.records.models import Summary, SummaryDocument
from telemed.records.refusals import Refused
from telemed.records.tasks import make_document, make_missing_documents

pytestmark = pytest.mark.django_db
TEXT = "خذوا الدواء كل صباح.\nنلتقي بعد شهر."


@pytest.fixture
def salma(cast):
    return viewer_of(cast.salma, clock.now())


@pytest.fixture
def summary(consultation, salma):
    return actions.save_summary(
        consultation,
        salma.user,
        salma.actor(May.NOTE_WRITE),
        text=TEXT,
        language="ar",
        version=0,
    )


@pytest.fixture
def released(summary, salma):
    return actions.release_summary(summary, salma.actor(May.NOTE_WRITE), version=1)


def test_before_its_release_the_patient_sees_nothing(client, cast, summary, consultation):
    client.force_login(cast.amina_user)
    assert client.get(f"/records/{consultation.pk}/summary/").status_code == 404
    assert client.get(f"/records/{consultation.pk}/summary.pdf").status_code == 404


def test_once_released_the_patient_reads_it(client, cast, released, consultation):
    client.force_login(cast.amina_user)
    page = client.get(f"/records/{consultation.pk}/summary/")
    assert "خذوا الدواء" in page.content.decode()
    assert page["Cache-Control"].startswith("no-store")
    assert Event.objects.filter(action="summary.read", patient=cast.amina.pk).count() == 1


@pytest.mark.parametrize(
    ("person", "status"),
    [("karim", 403), ("driss", 403), ("fatima", 403), ("hassan", 404), ("salma", 200)],
)
def test_who_else_reads_it(client, cast, released, consultation, person, status):
    client.force_login(getattr(cast, person))
    assert client.get(f"/records/{consultation.pk}/summary/").status_code == status


def test_it_is_handed_over_once_and_stays_as_it_is(released, salma, consultation):
    actor = salma.actor(May.NOTE_WRITE)
    with pytest.raises(Refused, match="released"):
        actions.release_summary(released, actor, version=1)
    with pytest.raises(Refused, match="released"):
        actions.save_summary(
            consultation, salma.user, actor, text="other", language="fr", version=1
        )


def test_only_the_version_before_their_eyes_is_handed_over(summary, salma):
    with pytest.raises(Refused, match="stale"):
        actions.release_summary(summary, salma.actor(May.NOTE_WRITE), version=2)


def test_the_patient_is_told_without_a_word_of_content(released, cast, settings):
    settings.EMAIL_BACKEND = "telemed.messaging.backends.ShownEmailBackend"
    message = Message.objects.get(kind="summary.released")
    delivery.deliver(message.pk)
    told = ShownMessage.objects.get().text
    assert f"/records/{released.consultation_id}/summary/" in told
    assert "الدواء" not in told
    assert message.language == "ar"


def test_who_has_no_number_any_more_is_not_told_there(summary, salma, cast, settings):
    """Their mailbox is, the one they sign in with."""
    settings.EMAIL_BACKEND = "telemed.messaging.backends.ShownEmailBackend"
    user = cast.amina_user
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    actions.release_summary(summary, salma.actor(May.NOTE_WRITE), version=1)
    cast.amina.contacts.update(voided_at=clock.now())
    for message in Message.objects.filter(kind="summary.released"):
        delivery.deliver(message.pk)
    assert [shown.address for shown in ShownMessage.objects.all()] == [user.email]


def test_the_paper_is_made_by_a_worker_and_read_from_the_store(
    client, cast, released, consultation
):
    client.force_login(cast.amina_user)
    address = f"/records/{consultation.pk}/summary.pdf"
    waiting = client.get(address)
    assert waiting.status_code == 503
    assert waiting["Refresh"] == "3"
    make_document(str(released.pk))
    make_document(str(released.pk))
    document = SummaryDocument.objects.get()
    answer = client.get(address)
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content == bytes(document.content)
    assert answer.content.startswith(b"%PDF")
    assert Event.objects.filter(action="summary.download").count() == 1


def test_the_stored_paper_is_encrypted(released, django_assert_num_queries):
    from django.db import connection

    make_document(str(released.pk))
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM records_summarydocument")
        stored = bytes(cursor.fetchone()[0])
    assert b"%PDF" not in stored


def test_what_a_lost_worker_left_is_made_later(released, monkeypatch):
    from telemed.celery import app

    monkeypatch.setitem(app.conf, "task_always_eager", True)
    make_missing_documents()
    assert SummaryDocument.objects.count() == 1


def test_nothing_unreleased_goes_on_paper(summary):
    make_document(str(summary.pk))
    assert not SummaryDocument.objects.exists()


def test_the_page_writes_and_hands_over(client, cast, consultation):
    client.force_login(cast.salma)
    address = f"/records/{consultation.pk}/summary"
    typed = {"text": TEXT, "language": "ar", "version": 0}
    saved = client.post(f"{address}/write/", typed, headers={"HX-Request": "true"})
    assert 'id="release-version" value="1"' in saved.content.decode()
    assert client.post(f"{address}/release/", {"version": 1}).status_code == 200
    assert Summary.objects.get().released_at is not None
    again = client.post(f"{address}/release/", {"version": 1})
    assert again.status_code == 400


def test_the_patients_home_leads_to_it(client, cast, released, clock):
    from datetime import timedelta

    clock.move(timedelta(hours=3))
    client.force_login(cast.amina_user)
    page = client.get("/").content.decode()
    assert f"/records/{released.consultation_id}/summary/" in page
