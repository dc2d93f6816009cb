"""For whom a page books: named in the address, else the one who signed in."""

from uuid import UUID

from django.http import Http404, HttpRequest

from scheduling.access import in_care, patient_to_book
from telemed.accounts.access import viewer
from telemed.accounts.models import Patient
from telemed.accounts.roles import May
from telemed.audit.actor import Actor


def whom(request: HttpRequest) -> tuple[Patient, Actor] | None:
    """The patient and as whom the viewer acts; None when it has to be chosen first.

    ``Http404`` for a patient for whom they may not book.
    """
    named = request.GET.get("patient", "")
    if named:
        try:
            return patient_to_book(viewer(request), UUID(named))
        except ValueError:
            raise Http404 from None
    own = viewer(request).patient
    if own is not None:
        return patient_to_book(viewer(request), own.pk)
    return None


def those_in_care(request: HttpRequest) -> list[Patient]:
    """Themselves and everybody for whom they book as a representative."""
    ids = in_care(viewer(request), May.APPOINTMENT_BOOK_OWN)
    return list(Patient.objects.filter(id__in=ids).prefetch_related("names"))
