"""The note and the summary: a panel beside the video, pages of their own without JavaScript."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consultations.models import Consultation
from telemed.accounts.access import viewer
from telemed.accounts.doors import door
from telemed.accounts.names import display_name
from telemed.accounts.roles import May
from telemed.audit import actions as audit
from telemed.records import actions
from telemed.records.access import consultation_for, note_for, notes_in, summary_for
from telemed.records.forms import NoteForm, SummaryForm, VersionForm
from telemed.records.models import Note, Summary, SummaryDocument
from telemed.records.refusals import Refused

CONFLICT = 409
RETRY_SECONDS = 3


@require_safe
@door(May.NOTE_READ)
def panel(request: HttpRequest, consultation_id: UUID) -> HttpResponse:
    """A fragment when a page asks by HTMX, else a page of its own."""
    consultation = consultation_for(viewer(request), consultation_id)
    _audit(request, "note.read", May.NOTE_READ, consultation)
    return _panel(request, consultation)


@require_POST
@door(May.NOTE_WRITE)
def save_note(request: HttpRequest, consultation_id: UUID) -> HttpResponse:
    who = viewer(request)
    consultation = consultation_for(who, consultation_id)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _panel(request, consultation, note_form=form, status=400)
    try:
        note = actions.save_note(
            consultation, who.user, who.actor(May.NOTE_WRITE), **form.cleaned_data
        )
    except Refused as refused:
        if refused.code != "stale":
            raise
        return _both_texts(request, consultation, refused, "records:save_note")
    return _saved(request, consultation, {"note": note, "saved_at": note.saved_at})


@require_http_methods(["GET", "HEAD", "POST"])
@door(May.NOTE_WRITE, recent_sign_in=True)
def sign(request: HttpRequest, note_id: UUID) -> HttpResponse:
    """Read once more, then sign. The password or second factor is asked for again before."""
    who = viewer(request)
    note = note_for(who, note_id)
    if request.method == "POST":
        form = VersionForm(request.POST)
        version = form.cleaned_data["version"] if form.is_valid() else 0
        actions.sign_note(note, who.actor(May.NOTE_WRITE), version=version)
        messages.success(request, _("The note is signed. What comes later is an addendum."))
        return redirect(f"{reverse('records:panel', args=[note.consultation_id])}?signed=1")
    _audit(request, "note.read", May.NOTE_WRITE, note.consultation)
    patient = note.consultation.appointment.patient
    return render(request, "records/sign.html", {"note": note, "patient": display_name(patient)})


@require_POST
@door(May.NOTE_WRITE)
def save_summary(request: HttpRequest, consultation_id: UUID) -> HttpResponse:
    return _write_summary(request, consultation_id, actions.save_summary, _saved_summary)


@require_POST
@door(May.NOTE_WRITE)
def release(request: HttpRequest, consultation_id: UUID) -> HttpResponse:
    """With the text that is before the writer's eyes, saved or not."""
    return _write_summary(request, consultation_id, actions.release_summary, _released)


def _write_summary(
    request: HttpRequest,
    consultation_id: UUID,
    action: Callable[..., Summary],
    answer: Callable[[HttpRequest, Consultation, Summary], HttpResponse],
) -> HttpResponse:
    who = viewer(request)
    consultation = consultation_for(who, consultation_id)
    form = SummaryForm(request.POST)
    if not form.is_valid():
        return _panel(request, consultation, summary_form=form, status=400)
    try:
        summary = action(consultation, who.user, who.actor(May.NOTE_WRITE), **form.cleaned_data)
    except Refused as refused:
        if refused.code != "stale":
            raise
        language = form.cleaned_data["language"]
        return _both_texts(
            request, consultation, refused, "records:save_summary", language=language
        )
    return answer(request, consultation, summary)


def _saved_summary(
    request: HttpRequest, consultation: Consultation, summary: Summary
) -> HttpResponse:
    return _saved(request, consultation, {"summary": summary})


def _released(request: HttpRequest, consultation: Consultation, _summary: Summary) -> HttpResponse:
    return _panel(request, consultation)


@require_safe
@door(May.SUMMARY_READ)
def summary(request: HttpRequest, consultation_id: UUID) -> HttpResponse:
    found = summary_for(viewer(request), consultation_id)
    _audit(request, "summary.read", May.SUMMARY_READ, found.consultation)
    context = {
        "summary": found,
        "visit": found.consultation.appointment,
        "may_play": viewer(request).may(May.RECORDING_PLAY),
        "may_see_pictures": viewer(request).may(May.PICTURE_SEE),
    }
    return render(request, "records/summary.html", context)


@require_safe
@door(May.SUMMARY_READ)
def summary_pdf(request: HttpRequest, consultation_id: UUID) -> HttpResponse:
    """The paper; while a worker still draws it, a page that asks again by itself."""
    found = summary_for(viewer(request), consultation_id)
    document: SummaryDocument | None = getattr(found, "document", None)
    if document is None:
        answer = render(request, "records/being_made.html", {"summary": found}, status=503)
        answer["Retry-After"] = answer["Refresh"] = str(RETRY_SECONDS)
        return answer
    _audit(request, "summary.download", May.SUMMARY_READ, found.consultation)
    name = found.consultation.appointment.local_start[:10]
    return HttpResponse(
        document.content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="telemed-{name}.pdf"'},
    )


def _panel(
    request: HttpRequest,
    consultation: Consultation,
    *,
    note_form: NoteForm | None = None,
    summary_form: SummaryForm | None = None,
    status: int = 200,
) -> HttpResponse:
    who = viewer(request)
    notes = list(notes_in(who, consultation))
    draft = next((note for note in notes if _is_draft_of(note, who.user.pk)), None)
    known = Summary.objects.filter(consultation=consultation, voided_at__isnull=True).first()
    context = {
        "consultation": consultation,
        "patient": display_name(consultation.appointment.patient),
        "just_signed": "signed" in request.GET,
        "signed": [note for note in notes if note.signed_at],
        "draft": draft,
        "note_form": note_form or NoteForm(initial=_initial(draft)),
        "summary": known,
        "summary_form": summary_form or SummaryForm(initial=_summary_initial(known, consultation)),
    }
    template = "records/_panel.html" if _is_fragment(request) else "records/panel.html"
    return render(request, template, context, status=status)


def _saved(request: HttpRequest, consultation: Consultation, saved: dict[str, Any]) -> HttpResponse:
    """What was typed stays in the browser as it is: only the version and "saved" are drawn, unless
    two texts were shown and the panel has to come back (``whole``)."""
    if _is_fragment(request) and "whole" in request.POST:
        return _panel(request, consultation)
    if _is_fragment(request):
        return render(request, "records/_saved.html", {"consultation": consultation, **saved})
    messages.success(request, _("Saved."))
    return redirect("records:panel", consultation.pk)


def _both_texts(
    request: HttpRequest,
    consultation: Consultation,
    refused: Refused,
    save_url: str,
    language: str = "",
) -> HttpResponse:
    context = {
        "consultation": consultation,
        "patient": display_name(consultation.appointment.patient),
        "refused": refused,
        "save_url": save_url,
        "language": language,
    }
    template = "records/_stale.html" if _is_fragment(request) else "records/stale.html"
    response = render(request, template, context, status=CONFLICT)
    if _is_fragment(request):
        response["HX-Retarget"], response["HX-Reswap"] = "#records", "outerHTML"
    return response


def _initial(draft: Note | None) -> dict[str, Any]:
    return {"text": draft.text, "version": draft.version} if draft else {"version": 0}


def _summary_initial(known: Summary | None, consultation: Consultation) -> dict[str, Any]:
    if known is None:
        return {"version": 0, "language": consultation.appointment.patient.language}
    return {"text": known.text, "version": known.version, "language": known.language}


def _is_draft_of(note: Note, user_id: UUID) -> bool:
    return note.signed_at is None and note.author_id == user_id


def _is_fragment(request: HttpRequest) -> bool:
    return bool(request.htmx)  # type: ignore[attr-defined]


def _audit(request: HttpRequest, action: str, means: May, consultation: Consultation) -> None:
    patient = consultation.appointment.patient_id
    audit.record(
        action,
        viewer(request).actor(means, patient_id=patient),
        patient=patient,
        organisation=consultation.organisation_id,
        subject=("consultation", consultation.pk),
    )
