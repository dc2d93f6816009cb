"""Writing, signing and handing over. Each save names the version it began from; a save that names
an older one is refused, with both texts, and nothing is lost."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consultations.models import Consultation
from telemed.accounts.models import User
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock
from telemed.records import messages, rules
from telemed.records.models import Note, Summary
from telemed.records.refusals import Refused
from telemed.records.tasks import make_document


@transaction.atomic
def save_note(
    consultation: Consultation, author: User, actor: Actor, *, text: str, version: int
) -> Note:
    """Keep the author's draft; ``version`` 0 begins one. After a first signature it is an
    addendum. Refused: ``stale``."""
    _lock(consultation)
    note = _draft(consultation, author)
    if note is None:
        note = _begin(consultation, author, version, text)
    if note.text == text:
        return note
    if note.version != version:
        raise _stale(note.text, text, note.version)
    note.text, note.version, note.saved_at = text, note.version + 1, clock.now()
    note.save()
    _audit("note.save", actor, consultation, ("note", note.pk))
    return note


@transaction.atomic
def sign_note(note: Note, actor: Actor, *, version: int) -> Note:
    """Freeze text, author and time. Refused: ``empty``, ``signed``, ``stale``."""
    _lock(note.consultation)
    note.refresh_from_db()
    if note.signed_at is not None:
        raise Refused("signed", _("This note is signed already."))
    if note.version != version:
        raise _stale(note.text, note.text, note.version)
    if not note.text.strip():
        raise Refused("empty", _("There is nothing to sign yet."))
    note.signed_at = clock.now()
    note.sha256 = rules.digest(note.text, note.author_id, note.signed_at)
    note.save(update_fields=["signed_at", "sha256"])
    _audit("note.sign", actor, note.consultation, ("note", note.pk))
    return note


@transaction.atomic
def save_summary(
    consultation: Consultation,
    author: User,
    actor: Actor,
    *,
    text: str,
    language: str,
    version: int,
) -> Summary:
    """Refused: ``released``, ``stale``."""
    _lock(consultation)
    summary = Summary.objects.filter(consultation=consultation).first()
    if summary is None:
        if version:
            raise _stale("", text, 0)
        summary = Summary(
            consultation=consultation,
            organisation_id=consultation.organisation_id,
            author=author,
            version=0,
        )
    _refuse_if_released(summary)
    if (summary.text, summary.language) == (text, language):
        return summary
    if summary.version != version:
        raise _stale(summary.text, text, summary.version)
    summary.text, summary.language, summary.author = text, language, author
    summary.version += 1
    summary.save()
    _audit("summary.save", actor, consultation, ("summary", summary.pk))
    return summary


@transaction.atomic
def release_summary(
    consultation: Consultation,
    author: User,
    actor: Actor,
    *,
    text: str,
    language: str,
    version: int,
) -> Summary:
    """Hand over what is written, for good, and tell the patient; a repeat changes nothing.
    Refused: ``released`` with another text, ``stale``, ``empty``."""
    _lock(consultation)
    released = Summary.objects.filter(consultation=consultation, released_at__isnull=False).first()
    if released and (released.text, released.language) == (text, language):
        return released
    summary = save_summary(
        consultation, author, actor, text=text, language=language, version=version
    )
    if not summary.text.strip():
        raise Refused("empty", _("There is nothing to hand over yet."))
    summary.released_at = clock.now()
    summary.save(update_fields=["released_at"])
    messages.announce(summary)
    # Told to a worker at once; when that is lost, the periodic task finds what has no document.
    transaction.on_commit(partial(make_document.delay, str(summary.pk)), robust=True)
    _audit("summary.release", actor, summary.consultation, ("summary", summary.pk))
    return summary


def _lock(consultation: Consultation) -> None:
    """Writers of one visit's records take turns."""
    Consultation.objects.select_for_update().get(pk=consultation.pk)


def _draft(consultation: Consultation, author: User) -> Note | None:
    drafts = consultation.notes.filter(author=author, signed_at__isnull=True)
    return drafts.filter(voided_at__isnull=True).first()


def _begin(consultation: Consultation, author: User, version: int, text: str) -> Note:
    signed = consultation.notes.filter(signed_at__isnull=False, voided_at__isnull=True)
    first = signed.filter(addendum_to__isnull=True).order_by("signed_at").first()
    if version:
        # They wrote on a draft that has been signed meanwhile, in another window.
        raise _stale(first.text if first else "", text, 0)
    return Note(
        consultation=consultation,
        organisation_id=consultation.organisation_id,
        author=author,
        addendum_to=first,
        version=0,
    )


def _stale(stored: str, yours: str, version: int) -> Refused:
    words = _("This text was changed in another window. Nothing is lost: choose which one stays.")
    return Refused("stale", words, stored=stored, yours=yours, version=version)


def _refuse_if_released(summary: Summary) -> None:
    if summary.released_at is not None:
        raise Refused("released", _("The patient has this summary already."))


def _audit(
    action: str, actor: Actor, consultation: Consultation, subject: tuple[str, UUID]
) -> None:
    audit.record(
        action,
        actor,
        patient=consultation.appointment.patient_id,
        organisation=consultation.organisation_id,
        subject=subject,
    )
