"""The pages of patients' records: search, registration, the card and what stands on it."""

from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from telemed.accounts import actions, queries
from telemed.accounts.access import Viewer, patient_for, viewer
from telemed.accounts.doors import door
from telemed.accounts.forms import (
    CorrectionForm,
    IdentifierForm,
    LinkForm,
    PhoneForm,
    RegistrationForm,
    RepresentativeForm,
    SearchForm,
    VoidForm,
    WishesForm,
)
from telemed.accounts.models import Patient
from telemed.accounts.names import display_name
from telemed.accounts.refusals import AccountsRefused
from telemed.accounts.roles import May
from telemed.audit import actions as audit


@require_GET
@door(May.PATIENT_SEARCH)
def search(request: HttpRequest) -> HttpResponse:
    """Names and places only; the card, where allowed, has the rest."""
    who = viewer(request)
    form = SearchForm(request.GET if "q" in request.GET else None)
    found = None
    if form.is_valid():
        found = queries.search(who, form.cleaned_data["q"])
        audit.record("patient.search", who.actor(May.PATIENT_SEARCH))
    context = {"form": form, "found": found, "may_open": who.may(May.PATIENT_READ)}
    return render(request, "accounts/search.html", context)


@require_http_methods(["GET", "POST"])
@door(May.PATIENT_REGISTER)
def register(request: HttpRequest) -> HttpResponse:
    who = viewer(request)
    form = RegistrationForm(who, request.POST or None)
    alike: list[Patient] = []
    same_paper = False
    if form.is_valid():
        if "new_person" not in request.POST:
            alike = queries.likely_duplicates(who, form.likeness())
        if alike:
            audit.record("patient.search", who.actor(May.PATIENT_REGISTER))
        else:
            try:
                return _registered(request, who, form)
            except AccountsRefused as refused:
                if refused.code != "identifier_known":
                    raise
                alike, same_paper = queries.holders(who, [form.paper()]), True
                form.add_error("cin", str(refused.message))
                actor = who.actor(May.PATIENT_REGISTER)
                about = alike[0].id if alike else None
                audit.refused("patient.register", actor, refused.code, patient=about)
    context = {
        "form": form,
        "alike": alike,
        "same_paper": same_paper,
        "may_open": who.may(May.PATIENT_READ),
    }
    return render(request, "accounts/register.html", context)


def _registered(request: HttpRequest, who: Viewer, form: RegistrationForm) -> HttpResponse:
    place = form.cleaned_data["organisation"]
    patient = actions.register(who, place, form.registration())
    messages.success(request, _("%s is registered.") % display_name(patient))
    if who.may(May.PATIENT_READ):
        return redirect("patients:card", patient.id)
    return redirect("patients:search")


@require_GET
@door(May.PATIENT_READ)
def card(request: HttpRequest, patient: UUID) -> HttpResponse:
    return _card(request, patient_for(viewer(request), patient, May.PATIENT_READ))


@require_http_methods(["GET", "HEAD", "POST"])
@door(May.PATIENT_CHANGE_OWN)
def mine(request: HttpRequest) -> HttpResponse:
    """What somebody says of themselves; who acts for others alone has no record of their own."""
    who = viewer(request)
    if who.patient is None:
        raise Http404
    form = WishesForm(who.patient, request.POST if request.method == "POST" else None)
    if form.is_valid():
        actions.keep_wishes(who, who.patient, form.wishes(), May.PATIENT_CHANGE_OWN)
        messages.success(request, _("Saved."))
        return redirect("patients:mine")
    return render(request, "accounts/mine.html", {"form": form, "patient": who.patient})


@require_POST
@door(May.PATIENT_REGISTER)
def keep_wishes(request: HttpRequest, patient: UUID) -> HttpResponse:
    who = viewer(request)
    record = _to_change(who, patient)
    form = WishesForm(record, request.POST)
    if not form.is_valid():
        return _card(request, record, wishes_form=form)
    actions.keep_wishes(who, record, form.wishes())
    return redirect("patients:card", record.id)


@require_http_methods(["GET", "POST"])
@door(May.PATIENT_REGISTER)
def edit(request: HttpRequest, patient: UUID) -> HttpResponse:
    who = viewer(request)
    record = _to_change(who, patient)
    form = CorrectionForm(who, record, request.POST or None)
    if form.is_valid():
        actions.correct(who, record, form.correction())
        return redirect("patients:card", record.id)
    audit.record("patient.read", who.actor(May.PATIENT_READ), patient=record.id)
    return render(request, "accounts/edit.html", {"form": form, "patient": record})


@require_POST
@door(May.PATIENT_REGISTER)
def add_phone(request: HttpRequest, patient: UUID) -> HttpResponse:
    who = viewer(request)
    record = _to_change(who, patient)
    form = PhoneForm(request.POST)
    if not form.is_valid():
        return _card(request, record, phone_form=form)
    data = form.cleaned_data
    actions.add_phone(who, record, data["phone"], shared=data["shared"])
    return redirect("patients:card", record.id)


@require_POST
@door(May.PATIENT_REGISTER)
def add_identifier(request: HttpRequest, patient: UUID) -> HttpResponse:
    who = viewer(request)
    record = _to_change(who, patient)
    form = IdentifierForm(request.POST)
    if not form.is_valid():
        return _card(request, record, identifier_form=form)
    actions.add_identifier(who, record, **form.cleaned_data)
    return redirect("patients:card", record.id)


@require_POST
@door(May.PATIENT_REGISTER, recent_sign_in=True)
def add_representative(request: HttpRequest, patient: UUID) -> HttpResponse:
    who = viewer(request)
    record = _to_change(who, patient)
    form = RepresentativeForm(request.POST)
    if not form.is_valid():
        return _card(request, record, representative_form=form)
    actions.add_representative(who, record, form.cleaned_data["email"], form.mandate())
    return redirect("patients:card", record.id)


@require_POST
@door(May.PATIENT_LINK, recent_sign_in=True)
def link(request: HttpRequest, patient: UUID) -> HttpResponse:
    """Both records must be within reach: nobody learns of a foreign one by linking it."""
    who = viewer(request)
    record = patient_for(who, patient, May.PATIENT_LINK)
    form = LinkForm(request.POST)
    if not form.is_valid():
        return _card(request, record)
    actions.link(who, record, patient_for(who, form.cleaned_data["other"], May.PATIENT_LINK))
    return redirect("patients:card", record.id)


@require_POST
@door(May.PATIENT_REGISTER)
def void(request: HttpRequest, patient: UUID, kind: str, row: UUID) -> HttpResponse:
    who = viewer(request)
    record = _to_change(who, patient)
    form = VoidForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    actions.void(who, record, kind, row, reason)
    return redirect("patients:card", record.id)


def _to_change(who: Viewer, patient_id: UUID) -> Patient:
    """Whoever changes what stands on the card must be allowed to see it."""
    patient_for(who, patient_id, May.PATIENT_REGISTER)
    return patient_for(who, patient_id, May.PATIENT_READ)


def _card(request: HttpRequest, patient: Patient, **typed: Form) -> HttpResponse:
    """The card; ``typed`` are forms sent back with their mistakes."""
    who = viewer(request)
    forms: dict[str, Form] = {
        "wishes_form": WishesForm(patient),
        "phone_form": PhoneForm(),
        "identifier_form": IdentifierForm(),
        "representative_form": RepresentativeForm(),
    }
    may_change = who.patients(May.PATIENT_REGISTER).filter(id=patient.id).exists()
    context = {
        "patient": patient,
        "card": queries.Card(patient),
        "alike": queries.unlinked_duplicates(who, patient) if may_change else [],
        "may_change": may_change,
        "may_book": who.patients(May.APPOINTMENT_BOOK_ANY).filter(id=patient.id).exists(),
        **forms,
        **typed,
    }
    audit.record("patient.read", who.actor(May.PATIENT_READ), patient=patient.id)
    return render(request, "accounts/card.html", context, status=400 if typed else 200)
