"""The administrator's page of a specialist: what patients read of them and can book."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from scheduling.actions import profile as actions
from scheduling.models import Specialist
from scheduling.profile_forms import ProfileForm, ServiceForm
from telemed.accounts.access import Viewer, viewer
from telemed.accounts.doors import door
from telemed.accounts.models import Membership
from telemed.accounts.roles import May, Role
from telemed.accounts.staff import memberships_of, person_for


@require_http_methods(["GET", "HEAD", "POST"])
@door(May.MEMBERSHIP_EDIT)
def profile(request: HttpRequest, user_id: UUID) -> HttpResponse:
    who = viewer(request)
    member = _member(who, user_id)
    known = Specialist.objects.filter(user=member.user).first()
    form = ProfileForm(known, request.POST or None)
    if form.is_valid():
        by = who.actor(May.MEMBERSHIP_EDIT)
        actions.keep_profile(member.user, member.organisation, form.profile(), by)
        return redirect("scheduling:profile", user_id)
    return _page(request, member, known, form)


@require_POST
@door(May.MEMBERSHIP_EDIT)
def add_service(request: HttpRequest, user_id: UUID) -> HttpResponse:
    who = viewer(request)
    member = _member(who, user_id)
    specialist = get_object_or_404(Specialist, user=member.user)
    form = ServiceForm(who, specialist, request.POST)
    if not form.is_valid():
        return _page(request, member, specialist, ProfileForm(specialist), form)
    actions.add_service(specialist, who.actor(May.MEMBERSHIP_EDIT), **form.cleaned_data)
    return redirect("scheduling:profile", user_id)


@require_POST
@door(May.MEMBERSHIP_EDIT)
def retire_service(request: HttpRequest, user_id: UUID, offer_id: UUID) -> HttpResponse:
    who = viewer(request)
    member = _member(who, user_id)
    specialist = get_object_or_404(Specialist, user=member.user)
    actions.retire_service(specialist, offer_id, who.actor(May.MEMBERSHIP_EDIT))
    return redirect("scheduling:profile", user_id)


def _member(who: Viewer, user_id: UUID) -> Membership:
    """Their role of specialist at a place in the viewer's care; ``Http404`` without one."""
    rows = memberships_of(who, person_for(who, user_id)).filter(role=Role.SPECIALIST)
    member = rows.select_related("user", "organisation").first()
    if member is None:
        raise Http404
    return member


def _page(
    request: HttpRequest,
    member: Membership,
    specialist: Specialist | None,
    form: ProfileForm,
    service_form: ServiceForm | None = None,
) -> HttpResponse:
    context = {
        "person": member.user,
        "place": member.organisation,
        "form": form,
        "specialist": specialist,
    }
    if specialist is not None:
        offers = specialist.services.filter(retired_at__isnull=True)
        context["services"] = offers.select_related("speciality", "site")
        context["service_form"] = service_form or ServiceForm(viewer(request), specialist)
    wrong = form.errors or (service_form is not None and service_form.errors)
    return render(request, "scheduling/profile.html", context, status=400 if wrong else 200)
