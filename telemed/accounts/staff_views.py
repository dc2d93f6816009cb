"""The administrator's pages: people with their roles, and places."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from telemed.accounts import staff
from telemed.accounts.access import viewer
from telemed.accounts.doors import door
from telemed.accounts.models import User
from telemed.accounts.roles import May
from telemed.accounts.staff_forms import GrantForm, NewPlaceForm, PersonForm, PlaceForm
from telemed.audit import actions as audit

FORM = ["GET", "HEAD", "POST"]


@require_safe
@door(May.MEMBERSHIP_EDIT)
def people(request: HttpRequest) -> HttpResponse:
    who = viewer(request)
    audit.record("user.list", who.actor(May.MEMBERSHIP_EDIT), purpose=staff.PURPOSE)
    return render(request, "accounts/people.html", {"people": staff.people_in(who)})


@require_http_methods(FORM)
@door(May.MEMBERSHIP_EDIT, recent_sign_in=True)
def add(request: HttpRequest) -> HttpResponse:
    who = viewer(request)
    form = PersonForm(who, request.POST or None)
    if form.is_valid():
        data = form.cleaned_data
        user = staff.add_person(who, data["name"], data["name_ar"], data["email"], form.grant())
        messages.success(request, _("They can sign in now with a code sent by e-mail."))
        return redirect("people:person", user.id)
    return render(request, "accounts/person_add.html", {"form": form})


@require_safe
@door(May.MEMBERSHIP_EDIT)
def person(request: HttpRequest, user_id: UUID) -> HttpResponse:
    who = viewer(request)
    return _person(request, staff.person_for(who, user_id), GrantForm(who))


@require_POST
@door(May.MEMBERSHIP_EDIT, recent_sign_in=True)
def grant(request: HttpRequest, user_id: UUID) -> HttpResponse:
    who = viewer(request)
    found = staff.person_for(who, user_id)
    form = GrantForm(who, request.POST)
    if not form.is_valid():
        return _person(request, found, form)
    staff.grant(who, found, form.grant())
    return redirect("people:person", found.id)


@require_POST
@door(May.MEMBERSHIP_EDIT, recent_sign_in=True)
def end(request: HttpRequest, user_id: UUID, membership_id: UUID) -> HttpResponse:
    who = viewer(request)
    found = staff.person_for(who, user_id)
    staff.end_membership(who, get_object_or_404(staff.memberships_of(who, found), id=membership_id))
    return redirect("people:person", found.id)


@require_POST
@door(May.MEMBERSHIP_EDIT, recent_sign_in=True)
def close(request: HttpRequest, user_id: UUID) -> HttpResponse:
    who = viewer(request)
    found = staff.person_for(who, user_id)
    staff.close_account(who, found)
    messages.success(request, _("The account is closed and signed out everywhere."))
    return redirect("people:person", found.id)


@require_POST
@door(May.MEMBERSHIP_EDIT, recent_sign_in=True)
def reopen(request: HttpRequest, user_id: UUID) -> HttpResponse:
    who = viewer(request)
    found = staff.person_for(who, user_id)
    staff.reopen_account(who, found)
    messages.success(request, _("They can sign in now with a code sent by e-mail."))
    return redirect("people:person", found.id)


@require_http_methods(FORM)
@door(May.ORGANISATION_EDIT)
def add_place(request: HttpRequest) -> HttpResponse:
    who = viewer(request)
    form = NewPlaceForm(who, request.POST or None)
    if form.is_valid():
        data = form.cleaned_data
        staff.add_place(who, data["parent"], data["kind"], form.place())
        return redirect("/")
    return render(request, "accounts/place.html", {"form": form})


@require_http_methods(FORM)
@door(May.ORGANISATION_EDIT)
def place(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    who = viewer(request)
    found = staff.place_for(who, organisation_id)
    form = PlaceForm(request.POST or None, instance=found)
    if form.is_valid():
        staff.change_place(who, found, form.place())
        return redirect("/")
    return render(request, "accounts/place.html", {"form": form, "place": found})


def _person(request: HttpRequest, found: User, form: GrantForm) -> HttpResponse:
    who = viewer(request)
    actor, subject = who.actor(May.MEMBERSHIP_EDIT), ("user", found.id)
    audit.record("user.read", actor, subject=subject, purpose=staff.PURPOSE)
    context = {
        "person": found,
        "memberships": staff.memberships_of(who, found),
        "form": form,
        "oneself": found.id == who.user.id,
    }
    return render(request, "accounts/person.html", context, status=400 if form.errors else 200)
