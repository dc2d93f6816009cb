"""The pictures of a visit that its specialist asked for."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_POST, require_safe

from consultations import picture_files
from consultations.access import picture_to_void, pictured_visit, pictures_in
from consultations.actions import picture as actions
from consultations.models import Picture
from consultations.snapshot import name_of
from telemed.accounts.access import viewer
from telemed.accounts.doors import door
from telemed.accounts.roles import May
from telemed.audit import actions as audit
from telemed.lib.crypto import Unreadable

REASON = 200


@require_safe
@door(May.PICTURE_SEE)
def index(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    who = viewer(request)
    visit = pictured_visit(who, appointment_id)
    rows = pictures_in(who).filter(consultation__appointment=visit)
    _audit(request, "picture.read", visit.patient_id, visit.organisation_id, visit.pk)
    voidable = set(picture_to_void(who).values_list("pk", flat=True))
    language = get_language() or "fr"
    shown = [
        {"row": row, "taker": name_of(row.participant, language), "voids": row.pk in voidable}
        for row in rows.prefetch_related("participant__patient__names")
    ]
    return render(request, "consultations/pictures.html", {"visit": visit, "shown": shown})


@require_safe
@door(May.PICTURE_SEE)
def picture(request: HttpRequest, picture_id: UUID) -> HttpResponse:
    """The picture, decrypted; ``Http404`` where there is none to be seen by them."""
    row = get_object_or_404(pictures_in(viewer(request)), pk=picture_id)
    try:
        data = picture_files.read(row)
    except (FileNotFoundError, Unreadable):
        raise Http404 from None
    _audit_picture(request, "picture.open", row)
    headers = {"Content-Encoding": "identity"}  # never pressed again on its way
    return HttpResponse(data, content_type="image/jpeg", headers=headers)


@require_POST
@door(May.PICTURE_VOID)
def void(request: HttpRequest, picture_id: UUID) -> HttpResponse:
    who = viewer(request)
    row = get_object_or_404(picture_to_void(who), pk=picture_id)
    visit = row.consultation.appointment
    reason = request.POST.get("reason", "").strip()[:REASON]
    actions.void(row, who.user, who.actor(May.PICTURE_VOID, patient_id=visit.patient_id), reason)
    return redirect("consultations:pictures", visit.pk)


def _audit_picture(request: HttpRequest, action: str, row: Picture) -> None:
    visit = row.consultation.appointment
    _audit(request, action, visit.patient_id, row.organisation_id, row.pk, subject="picture")


def _audit(
    request: HttpRequest,
    action: str,
    patient: UUID,
    organisation: UUID,
    about: UUID,
    *,
    subject: str = "appointment",
) -> None:
    audit.record(
        action,
        viewer(request).actor(May.PICTURE_SEE, patient_id=patient),
        patient=patient,
        organisation=organisation,
        subject=(subject, about),
    )
