"""Who works where: accounts of professionals, their roles, and the places they hold them at."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from telemed.accounts import contacts, passwords
from telemed.accounts.access import Viewer, today, valid_on
from telemed.accounts.models import Membership, Organisation, OrganisationParent, User
from telemed.accounts.refusals import AccountsRefused
from telemed.accounts.roles import May, Role
from telemed.audit import actions as audit
from telemed.audit.actor import Actor

PURPOSE = "administration"


def people_in(viewer: Viewer) -> QuerySet[User]:
    """Whoever holds or held a role at the places in the viewer's care."""
    members = Membership.objects.filter(organisation__in=viewer.reach(May.MEMBERSHIP_EDIT))
    return User.objects.filter(id__in=members.values("user")).order_by("name", "id")


def person_for(viewer: Viewer, user_id: Any) -> User:
    found = people_in(viewer).filter(id=user_id).first()
    if found is None:
        raise Http404
    return found


def memberships_of(viewer: Viewer, user: User) -> QuerySet[Membership]:
    """Those of today and later, at the viewer's places."""
    ahead = Q(valid_to__isnull=True) | Q(valid_to__gte=today(viewer.now))
    rows = user.memberships.filter(ahead, organisation__in=viewer.reach(May.MEMBERSHIP_EDIT))
    return rows.select_related("organisation").order_by("valid_from", "id")


def place_for(viewer: Viewer, organisation_id: Any) -> Organisation:
    found = viewer.organisations(May.ORGANISATION_EDIT).filter(id=organisation_id).first()
    if found is None:
        raise Http404
    return found


@dataclass(frozen=True)
class Grant:
    role: str
    organisation: Organisation
    valid_to: date | None = None


@transaction.atomic
def add_person(viewer: Viewer, name: str, name_ar: str, email: str, grant_: Grant) -> User:
    """An account for somebody, who signs in with a code sent to ``email``; a known one is kept,
    without the password of whoever never proved that the address is theirs."""
    address = contacts.email(email)
    user = User.objects.filter(email=address).first()
    if user is None:
        user = User.objects.create_user(email=address, name=name, name_ar=name_ar)
        EmailAddress.objects.create(user=user, email=address, primary=True, verified=False)
    elif not passwords.is_proved(user, address):
        passwords.drop(user)
    grant(viewer, user, grant_)
    return user


@transaction.atomic
def grant(viewer: Viewer, user: User, wanted: Grant) -> Membership:
    """A role at a place from today on. Nobody gives themselves one; a closed account gets none."""
    _not_oneself(viewer, user)
    if not user.is_active:
        raise AccountsRefused(
            "account_closed",
            _("This person's account is closed. Whoever closed it has to open it again first."),
        )
    if not viewer.may_at(May.MEMBERSHIP_EDIT, wanted.organisation.id):
        raise AccountsRefused("not_allowed", _("This place is not in your care."))
    if wanted.role == Role.PATIENT:
        raise AccountsRefused("no_role", _("Patients hold no role at a place."))
    same = user.memberships.filter(
        valid_on(today(viewer.now)), role=wanted.role, organisation=wanted.organisation
    )
    row = same.first() or Membership.objects.create(
        user=user,
        role=wanted.role,
        organisation=wanted.organisation,
        valid_from=today(viewer.now),
        valid_to=wanted.valid_to,
    )
    _audited(viewer, "membership.add", row.organisation, ("user", user.id), code=wanted.role)
    return row


@transaction.atomic
def end_membership(viewer: Viewer, row: Membership) -> None:
    """From now on; the row keeps telling who held the role until yesterday."""
    _not_oneself(viewer, row.user)
    row.valid_to = today(viewer.now) - timedelta(days=1)
    row.save(update_fields=["valid_to"])
    _audited(viewer, "membership.remove", row.organisation, ("user", row.user_id), code=row.role)


def close_account(viewer: Viewer, user: User) -> None:
    """Refused while they hold a role somewhere that is not in the viewer's care."""
    _only_ours(viewer, user)
    deactivate(user, viewer.actor(May.MEMBERSHIP_EDIT))


@transaction.atomic
def reopen_account(viewer: Viewer, user: User) -> None:
    """They sign in with a code again, with the roles that have not ended and no old password."""
    _only_ours(viewer, user)
    if not User.objects.filter(id=user.id, is_active=False).update(is_active=True):
        return
    user.is_active = True
    passwords.drop(user)
    actor = viewer.actor(May.MEMBERSHIP_EDIT)
    audit.record("user.reopen", actor, subject=("user", user.id), purpose="security")


@transaction.atomic
def deactivate(user: User, actor: Actor) -> None:
    """The account is closed, and every session of it with it."""
    User.objects.filter(id=user.id).update(is_active=False)
    for session in UserSession.objects.filter(user=user):
        session.end()
    audit.record("user.deactivate", actor, subject=("user", user.id), purpose="security")


@dataclass(frozen=True)
class Place:
    """What is kept of a place; names and hospital per language."""

    name: dict[str, str]
    facts: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
def add_place(viewer: Viewer, parent: Organisation, kind: str, place: Place) -> Organisation:
    """A place under ``parent`` from today on."""
    made = Organisation.objects.create(kind=kind, name=place.name, **place.facts)
    OrganisationParent.objects.create(child=made, parent=parent, valid_from=today(viewer.now))
    _audited(viewer, "organisation.add", made, ("organisation", made.id))
    return made


@transaction.atomic
def change_place(viewer: Viewer, organisation: Organisation, place: Place) -> None:
    organisation.name = {**organisation.name, **place.name}
    for name, value in place.facts.items():
        setattr(organisation, name, value)
    organisation.save()
    _audited(viewer, "organisation.change", organisation, ("organisation", organisation.id))


def _not_oneself(viewer: Viewer, user: User) -> None:
    if user.id == viewer.user.id:
        raise AccountsRefused("own_role", _("Somebody else has to change your own roles."))


def _only_ours(viewer: Viewer, user: User) -> None:
    _not_oneself(viewer, user)
    held = user.memberships.filter(valid_on(today(viewer.now)))
    if held.exclude(organisation__in=viewer.reach(May.MEMBERSHIP_EDIT)).exists():
        raise AccountsRefused("works_elsewhere", _("They also work at a place not in your care."))


def _audited(
    viewer: Viewer, action: str, place: Organisation, subject: tuple[str, Any], code: str = ""
) -> None:
    actor = viewer.actor(May.MEMBERSHIP_EDIT)
    audit.record(action, actor, organisation=place.id, subject=subject, code=code, purpose=PURPOSE)
