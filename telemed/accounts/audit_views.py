"""Who opened whose data: for patients and their representatives, and for auditors."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from telemed.accounts import audit_queries
from telemed.accounts.access import patient_for, viewer
from telemed.accounts.doors import door
from telemed.accounts.roles import May
from telemed.audit import actions as audit

PER_PAGE = 50


@require_GET
@door(May.AUDIT_READ_OWN)
def mine(request: HttpRequest) -> HttpResponse:
    """The own record; else that of the first person in their care."""
    who = viewer(request)
    patients = who.patients(May.AUDIT_READ_OWN)
    first = who.patient if who.patient in patients else patients.order_by("received_at").first()
    if first is None:
        return render(request, "audit/nobody.html")
    return redirect("audit:about", first.id)


@require_GET
@door(May.AUDIT_READ_OWN)
def about(request: HttpRequest, patient: UUID) -> HttpResponse:
    who = viewer(request)
    record = patient_for(who, patient, May.AUDIT_READ_OWN)
    actor = who.actor(May.AUDIT_READ_OWN, patient_id=record.id)
    audit.record("audit.read_own", actor, patient=record.id)
    page = Paginator(audit_queries.about(record), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "patient": record,
        "others": who.patients(May.AUDIT_READ_OWN).exclude(id=record.id).prefetch_related("names"),
        "page": page,
        "lines": audit_queries.lines(page.object_list),
    }
    return render(request, "audit/about.html", context)


@require_GET
@door(May.AUDIT_READ)
def search(request: HttpRequest) -> HttpResponse:
    who = viewer(request)
    form = FilterForm(request.GET)
    wanted = audit_queries.Filter(**form.cleaned_data) if form.is_valid() else None
    events = audit_queries.found(who, wanted or audit_queries.Filter())
    page = Paginator(events, PER_PAGE).get_page(request.GET.get("page"))
    lines = audit_queries.lines(page.object_list)
    patient = wanted.patient if wanted else None
    audit.record("audit.search", who.actor(May.AUDIT_READ), patient=patient, purpose="audit")
    query = request.GET.copy()
    query.pop("page", None)
    context = {"form": form, "page": page, "lines": lines, "query": query.urlencode()}
    return render(request, "audit/search.html", context)


class FilterForm(forms.Form):
    first_day = forms.DateField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    last_day = forms.DateField(
        label=_("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    person = forms.CharField(label=_("Who (name or e-mail)"), max_length=120, required=False)
    patient = forms.UUIDField(label=_("Patient's record number"), required=False)
    action = forms.ChoiceField(label=_("What"), required=False)
    outcome = forms.ChoiceField(
        label=_("Outcome"),
        required=False,
        choices=[("", _("All")), ("done", _("Done")), ("refused", _("Refused"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        actions = [("", _("All")), *audit_queries.known_actions()]
        self.fields["action"].choices = actions  # type: ignore[attr-defined]
