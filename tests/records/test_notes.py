"""The note: saved as typed, nobody's text lost, seen by its author, frozen by the signature."""

import pytest

from telemed.accounts.access import viewer_of
from telemed.accounts.roles import May
from telemed.audit.models import Event
from telemed.lib import clock
from telemed.records import actions, queries, rules
from telemed.records.access import notes_in
from telemed.records.models import Note
from telemed.records.refusals import Refused
from tests import make

pytestmark = pytest.mark.django_db
TEXT = "Palpitations à l'effort.\nTension 130/80."


@pytest.fixture
def salma(cast):
    return viewer_of(cast.salma, clock.now())


@pytest.fixture
def save(consultation, salma):
    def keep(text, version=0):
        actor = salma.actor(May.NOTE_WRITE)
        return actions.save_note(consultation, salma.user, actor, text=text, version=version)

    return keep


@pytest.fixture
def sign(salma):
    def freeze(note):
        return actions.sign_note(note, salma.actor(May.NOTE_WRITE), version=note.version)

    return freeze


def test_a_draft_grows(save):
    first = save("Palp", 0)
    second = save(TEXT, first.version)
    assert second.pk == first.pk
    assert (second.text, second.version) == (TEXT, 2)


def test_nothing_typed_is_nothing_stored(save):
    save("")
    assert not Note.objects.exists()


def test_a_stale_save_loses_neither_text(save):
    first = save("one", 0)
    save("two", first.version)
    with pytest.raises(Refused) as refused:
        save("three", first.version)
    assert refused.value.code == "stale"
    assert refused.value.facts == {"stored": "two", "yours": "three", "version": 2}
    assert Note.objects.get().text == "two"


def test_two_windows_that_both_begin_are_told(save):
    save("one", 0)
    with pytest.raises(Refused, match="stale"):
        save("other", 0)


def test_the_same_text_again_is_no_change(save):
    first = save("one", 0)
    assert save("one", 0).version == first.version
    assert Event.objects.filter(action="note.save").count() == 1


def test_signing_freezes_text_author_and_time(save, sign, salma):
    note = sign(save(TEXT))
    note = Note.objects.get(pk=note.pk)
    assert note.sha256 == rules.digest(TEXT, salma.user.pk, note.signed_at)
    assert rules.digest(TEXT + " ", salma.user.pk, note.signed_at) != note.sha256


def test_what_is_not_the_text_before_their_eyes_is_not_signed(save, salma):
    note = save("one", 0)
    save("two", note.version)
    with pytest.raises(Refused, match="stale"):
        actions.sign_note(note, salma.actor(May.NOTE_WRITE), version=1)


def test_an_empty_note_is_not_signed(save, sign):
    note = save("one", 0)
    with pytest.raises(Refused, match="empty"):
        sign(save("  ", note.version))


def test_after_the_signature_comes_an_addendum(save, sign):
    note = sign(save(TEXT))
    addendum = save("Résultat reçu.", 0)
    assert addendum.addendum_to_id == note.pk
    assert Note.objects.get(pk=note.pk).text == TEXT
    with pytest.raises(Refused, match="signed"):
        sign(note)


def test_a_draft_is_its_authors_alone(save, sign, consultation, cast):
    note = save(TEXT)
    colleague = viewer_of(cast.youssef, clock.now())
    assert list(notes_in(colleague, consultation)) == []
    sign(note)
    assert list(notes_in(colleague, consultation)) == [note]


def test_drafts_older_than_a_day_are_listed(save, sign, salma):
    note = save(TEXT)
    assert list(queries.unsigned_notes(salma.user, clock.now())) == []
    tomorrow = clock.now() + rules.SIGN_WITHIN
    assert list(queries.unsigned_notes(salma.user, tomorrow)) == [note]
    sign(note)
    assert list(queries.unsigned_notes(salma.user, tomorrow)) == []


# --- pages


def test_the_panel_works(client, cast, consultation, save):
    save(TEXT)
    client.force_login(cast.salma)
    page = client.get(f"/records/{consultation.pk}/")
    assert page.status_code == 200
    assert "Palpitations" in page.content.decode()
    fragment = client.get(f"/records/{consultation.pk}/", headers={"HX-Request": "true"})
    assert fragment.content.decode().lstrip().startswith("<div")
    assert Event.objects.filter(action="note.read").count() == 2


@pytest.mark.parametrize("person", ["karim", "youssef", "brahim", "amina_user", "leila"])
def test_nobody_else_reads_notes(client, cast, consultation, save, person):
    save(TEXT)
    assert cast.dr_youssef
    client.force_login(getattr(cast, person))
    assert client.get(f"/records/{consultation.pk}/").status_code in {403, 404}
    sent = client.post(f"/records/{consultation.pk}/note/", {"text": "x", "version": 1})
    assert sent.status_code in {403, 404}


def test_typing_saves_and_gives_the_next_version(client, cast, consultation):
    client.force_login(cast.salma)
    address = f"/records/{consultation.pk}/note/"
    saved = client.post(address, {"text": TEXT, "version": 0}, headers={"HX-Request": "true"})
    assert 'id="note-version" value="1"' in saved.content.decode()
    assert Note.objects.get().text == TEXT


def test_without_javascript_the_button_saves(client, cast, consultation):
    client.force_login(cast.salma)
    address = f"/records/{consultation.pk}/note/"
    assert client.post(address, {"text": TEXT, "version": 0}).status_code == 302
    assert Note.objects.get().text == TEXT


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_stale_page_shows_both_texts(client, cast, consultation, save, headers):
    save("two", save("one", 0).version)
    client.force_login(cast.salma)
    address = f"/records/{consultation.pk}/note/"
    answer = client.post(address, {"text": "three", "version": 1}, headers=headers)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "two" in page
    assert "three" in page
    assert 'name="version" value="2"' in page
    assert f'hx-post="{address}"' in page


def test_the_text_that_stays_is_stored_beside_the_call(client, cast, consultation, save):
    save("two", save("one", 0).version)
    client.force_login(cast.salma)
    address = f"/records/{consultation.pk}/note/"
    chosen = {"text": "three", "version": 2, "whole": "yes"}

    answer = client.post(address, chosen, headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert 'id="id_note_text"' in answer.content.decode()
    assert Note.objects.get().text == "three"


def test_signing_asks_for_the_password_again(client, cast, consultation, save):
    note = save(TEXT)
    address = f"/records/notes/{note.pk}/sign/"
    cast.salma.set_password("telemed-demo")
    cast.salma.save()
    client.force_login(cast.salma)
    asked = client.get(address)
    assert asked.status_code == 302
    assert "reauthenticate" in asked["Location"]
    back = client.post(asked["Location"], {"password": "telemed-demo"})
    assert back["Location"] == address
    assert client.get(address).status_code == 200
    assert client.post(address, {"version": note.version}).status_code == 302
    note.refresh_from_db()
    assert note.signed_at is not None


def test_a_foreign_note_is_absent(client, cast, consultation, save):
    note = save(TEXT)
    assert cast.dr_youssef
    make.sign_in_again(client, cast.youssef)
    assert client.get(f"/records/notes/{note.pk}/sign/").status_code == 404
