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
def write(consultation, salma):
    """``write(actions.release_summary, text="…", version=1)``, as Dr Salma."""

    def written(action, text=TEXT, language="ar", version=1) -> Summary:
        actor = salma.actor(May.NOTE_WRITE)
        return action(
            consultation, salma.user, actor, text=text, language=language, version=version
        )

    return written


@pytest.fixture
def summary(write):
    return write(actions.save_summary, version=0)


@pytest.fixture
def released(summary, write):
    return write(actions.release_summary)


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


def test_it_is_handed_over_once_and_stays_as_it_is(released, write):
    assert write(actions.release_summary) == released
    assert Event.objects.filter(action="summary.release").count() == 1
    for action in (actions.release_summary, actions.save_summary):
        with pytest.raises(Refused, match="released"):
            write(action, text="other")


def test_what_was_typed_last_is_handed_over(summary, write):
    assert write(actions.release_summary, text="Bu-thlata").text == "Bu-thlata"
    assert Summary.objects.get().released_at is not None


def test_over_what_somebody_else_wrote_nothing_is_handed_over(summary, write):
    with pytest.raises(Refused, match="stale"):
        write(actions.release_summary, text="other", version=0)
    assert Summary.objects.get().released_at is None


def test_nothing_written_is_not_handed_over(write):
    with pytest.raises(Refused, match="empty"):
        write(actions.release_summary, text=" ", version=0)


def test_the_patient_is_told_without_a_word_of_content(released, cast, settings):
    settings.EMAIL_BACKEND = "telemed.messaging.backends.ShownEmailBackend"
    message = Message.objects.get(kind="summary.released")
    delivery.deliver(message.pk)
    told = ShownMessage.objects.get().text
    assert f"/records/{released.consultation_id}/summary/" in told
    assert "الدواء" not in told
    assert message.language == "ar"


def test_who_has_no_number_any_more_is_not_told_there(summary, write, cast, settings):
    """Their mailbox is, the one they sign in with."""
    settings.EMAIL_BACKEND = "telemed.messaging.backends.ShownEmailBackend"
    user = cast.amina_user
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    write(actions.release_summary)
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
    assert 'id="summary-version" value="1"' in saved.content.decode()
    # Pressed before the answer of the last saving has come.
    for _press in range(2):
        assert client.post(f"{address}/release/", typed).status_code == 200
    assert Summary.objects.get().released_at is not None
    assert client.post(f"{address}/release/", typed | {"text": "other"}).status_code == 400


def test_the_patients_home_leads_to_it(client, cast, released, clock):
    from datetime import timedelta

    clock.move(timedelta(hours=3))
    client.force_login(cast.amina_user)
    page = client.get("/").content.decode()
    assert f"/records/{released.consultation_id}/summary/" in page
