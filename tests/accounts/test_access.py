"""Who reaches whom: the dated tree, own records and people in somebody's care."""

from datetime import timedelta

import pytest
from django.http import Http404

from telemed.accounts.access import patient_for, today, viewer_of
from telemed.accounts.models import OrganisationParent
from telemed.accounts.roles import May, Role
from telemed.lib import clock
from tests import make


@pytest.fixture
def view(cast):
    return lambda user: viewer_of(user, clock.now())


def test_it_works(cast, view):
    assert patient_for(view(cast.brahim), cast.amina.id, May.PATIENT_READ) == cast.amina


def test_a_membership_covers_everything_below_it(cast, view):
    assert cast.imilchil
    assert cast.van
    karim = view(cast.karim)
    assert karim.may_at(May.APPOINTMENT_SEE_TIMES, cast.draa.id)
    assert karim.may_at(May.APPOINTMENT_SEE_TIMES, cast.imilchil.id)
    assert karim.may_at(May.APPOINTMENT_SEE_TIMES, cast.van.id)
    assert set(karim.organisations(May.REGION_DAY)) == {cast.draa, cast.imilchil, cast.van}


def test_a_membership_covers_nothing_beside_or_above_it(cast, view):
    karim, brahim = view(cast.karim), view(cast.brahim)
    assert not karim.may_at(May.APPOINTMENT_SEE_TIMES, cast.temara.id)
    assert not karim.may_at(May.APPOINTMENT_SEE_TIMES, cast.ministry.id)
    assert not brahim.may_at(May.CENTRE_DAY, cast.draa.id)


def test_a_role_gives_only_its_own_abilities_there(cast, view):
    karim = view(cast.karim)
    assert not karim.may(May.APPOINTMENT_SEE_REASON)
    assert not karim.may_at(May.NOTE_READ, cast.draa.id)


def test_foreign_and_absent_patients_are_the_same(cast, view):
    brahim = view(cast.brahim)
    with pytest.raises(Http404) as foreign:
        patient_for(brahim, cast.zineb.id, May.PATIENT_READ)
    with pytest.raises(Http404) as absent:
        patient_for(brahim, cast.brahim.id, May.PATIENT_READ)
    assert str(foreign.value) == str(absent.value)


def test_a_voided_patient_is_absent(cast, view):
    cast.amina.voided_at = clock.now()
    cast.amina.save()
    with pytest.raises(Http404):
        patient_for(view(cast.brahim), cast.amina.id, May.PATIENT_READ)


def test_who_signed_up_alone_belongs_to_the_region_and_is_found_by_its_centres(cast, view):
    alone = make.patient(cast.draa, "Rkia", "Ouhaddou")
    assert patient_for(view(cast.brahim), alone.id, May.PATIENT_READ) == alone
    with pytest.raises(Http404):
        patient_for(view(cast.hassan), alone.id, May.PATIENT_READ)


def test_patients_reach_themselves_only(cast, view):
    amina = view(cast.amina.user)
    assert list(amina.patients(May.APPOINTMENT_BOOK_OWN)) == [cast.amina]
    with pytest.raises(Http404):
        patient_for(amina, cast.yassine.id, May.APPOINTMENT_BOOK_OWN)
    with pytest.raises(Http404):
        patient_for(amina, cast.amina.id, May.PATIENT_LINK)


@pytest.mark.parametrize(
    ("flag", "ability"),
    [
        ("may_book", May.APPOINTMENT_BOOK_OWN),
        ("may_book", May.ROOM_JOIN),
        ("may_consent", May.CONSENT_GIVE),
        ("may_read", May.SUMMARY_READ),
        ("may_read", May.AUDIT_READ_OWN),
    ],
)
def test_a_representative_may_what_the_row_says(cast, view, flag, ability):
    row = cast.fatima_for_yassine
    setattr(row, flag, True)
    row.save()
    assert patient_for(view(cast.fatima), cast.yassine.id, ability) == cast.yassine
    setattr(row, flag, False)
    row.save()
    with pytest.raises(Http404):
        patient_for(view(cast.fatima), cast.yassine.id, ability)


@pytest.mark.parametrize(("days_from", "days_to"), [(-10, -1), (1, 10)])
def test_a_representation_ends_and_begins_with_its_days(cast, view, days_from, days_to):
    day = today(clock.now())
    row = cast.fatima_for_yassine
    row.valid_from = day + timedelta(days=days_from)
    row.valid_to = day + timedelta(days=days_to)
    row.save()
    with pytest.raises(Http404):
        patient_for(view(cast.fatima), cast.yassine.id, May.APPOINTMENT_BOOK_OWN)


def test_a_voided_representation_gives_nothing(cast, view):
    row = cast.fatima_for_yassine
    row.voided_at = clock.now()
    row.save()
    assert view(cast.fatima).roles == frozenset()


def test_a_membership_counts_on_its_first_and_last_day(cast, view):
    day = today(clock.now())
    member = cast.brahim.memberships.get()
    for first, last, counts in [(0, 0, True), (1, 9, False), (-9, -1, False)]:
        member.valid_from = day + timedelta(days=first)
        member.valid_to = day + timedelta(days=last)
        member.save()
        assert view(cast.brahim).may(May.CENTRE_DAY) is counts


def test_the_tree_is_the_one_of_the_day(cast, view):
    day = today(clock.now())
    edge = OrganisationParent.objects.get(child=cast.imilchil)
    edge.valid_to = day - timedelta(days=1)
    edge.save()
    OrganisationParent.objects.create(child=cast.imilchil, parent=cast.rabat, valid_from=day)
    assert not view(cast.karim).may_at(May.REGION_DAY, cast.imilchil.id)
    assert view(cast.leila).may_at(May.REGION_DAY, cast.imilchil.id)


def test_a_ring_in_the_tree_ends(cast, view):
    OrganisationParent.objects.create(
        child=cast.draa, parent=cast.imilchil, valid_from=make.LONG_AGO
    )
    assert view(cast.brahim).may_at(May.CENTRE_DAY, cast.draa.id)


def test_a_deactivated_user_reaches_nothing(cast, view):
    cast.brahim.is_active = False
    brahim = view(cast.brahim)
    assert brahim.roles == frozenset()
    assert not brahim.may_at(May.CENTRE_DAY, cast.imilchil.id)
    cast.amina.user.is_active = False
    assert not view(cast.amina.user).patients(May.APPOINTMENT_BOOK_OWN)


def test_a_retired_place_gives_nothing(cast, view):
    assert cast.brahim
    cast.imilchil.retired_at = clock.now()
    cast.imilchil.save()
    assert not view(cast.brahim).may(May.CENTRE_DAY)


def test_somebody_without_a_role_reaches_nobody(cast, view):
    driss = view(cast.driss)
    assert driss.roles == frozenset()
    assert all(not driss.patients(ability) for ability in May)


def test_the_actor_names_role_place_and_for_whom(cast, view):
    brahim = view(cast.brahim).actor(May.PATIENT_READ)
    assert (brahim.kind, brahim.id, brahim.role) == ("user", cast.brahim.id, Role.PRESENTER)
    assert brahim.organisation == cast.imilchil.id
    row = cast.fatima_for_yassine
    fatima = view(cast.fatima).actor(May.CONSENT_GIVE, patient_id=row.patient_id)
    assert fatima.on_behalf_of == cast.yassine.id
    assert fatima.role == Role.PATIENT
    amina = view(cast.amina.user).actor(May.CONSENT_GIVE, patient_id=cast.amina.id)
    assert amina.on_behalf_of is None


def test_a_nurse_who_is_a_patient_too_acts_as_a_nurse_at_work(cast, view):
    make.patient(cast.imilchil, "Brahim", "Ouali", user=cast.brahim)
    assert view(cast.brahim).actor(May.ROOM_JOIN).role == Role.PRESENTER
    assert view(cast.brahim).actor(May.APPOINTMENT_BOOK_OWN).role == Role.PATIENT
