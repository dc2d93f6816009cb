"""What can be booked and what was: specialists, their services and time, and appointments."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from telemed.accounts.models import Act, Organisation, Patient, Sex
from telemed.accounts.rows import Reference, Row
from telemed.lib import clock, retention
from telemed.lib.fields import LocalizedTextField, SealedJSONField, SealedTextField


class PatientPlace(models.TextChoices):
    """Where the patient sits during the visit."""

    HOME = "home", _("At home")
    FACILITY = "facility", _("At a health centre")
    MOBILE_UNIT = "mobile_unit", _("At a mobile unit")


class Speciality(Reference):
    code = models.SlugField(max_length=40, unique=True)
    name = LocalizedTextField()
    icon = models.CharField(max_length=40, blank=True)
    position = models.PositiveSmallIntegerField(default=100)

    def __str__(self) -> str:
        return self.code


class Specialist(Reference):
    """A professional who can be booked (FHIR PractitionerRole)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="specialist"
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="specialists"
    )
    registration_number = models.CharField(max_length=32)
    sex = models.CharField(max_length=8, choices=Sex.choices, default=Sex.UNKNOWN)
    spoken_languages = models.JSONField(default=list)
    specialities: "models.ManyToManyField[Speciality, models.Model]" = models.ManyToManyField(
        Speciality, related_name="specialists"
    )
    time_zone = models.CharField(max_length=64, default="Africa/Casablanca")

    def __str__(self) -> str:
        return str(self.user)


class Service(Reference):
    """What one specialist offers: the act, how long, and where the patient must be."""

    specialist = models.ForeignKey(Specialist, on_delete=models.PROTECT, related_name="services")
    speciality = models.ForeignKey(Speciality, on_delete=models.PROTECT, related_name="services")
    name = LocalizedTextField(blank=True)
    act = models.CharField(max_length=20, choices=Act.choices, default=Act.TELECONSULTATION)
    minutes = models.PositiveSmallIntegerField(default=20)
    step_minutes = models.PositiveSmallIntegerField(default=15)  # from one start to the next
    patient_place = models.CharField(max_length=12, choices=PatientPlace.choices)
    site = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="services"
    )
    occupies_site = models.BooleanField(default=True)  # False: the site hosts several at once
    needs_confirmation = models.BooleanField(default=False)  # by the specialist, before it counts
    buffer_before_minutes = models.PositiveSmallIntegerField(default=0)
    buffer_after_minutes = models.PositiveSmallIntegerField(default=5)
    notice_minutes = models.PositiveIntegerField(default=0)
    horizon_days = models.PositiveSmallIntegerField(default=60)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="service_names_its_site",
                condition=Q(patient_place="home", site__isnull=True)
                | (~Q(patient_place="home") & Q(site__isnull=False)),
            )
        ]


class AvailabilityRule(Reference):
    """Weekly hours in the wall time of a named zone (weekday: Monday is 0).

    They end on the next day when ``ends`` is not after ``starts``: 20:00 to 00:00, 22:00 to 06:00.
    """

    specialist = models.ForeignKey(Specialist, on_delete=models.PROTECT, related_name="rules")
    weekday = models.PositiveSmallIntegerField()
    starts = models.TimeField()
    ends = models.TimeField()
    time_zone = models.CharField(max_length=64, default="Africa/Casablanca")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)


class AvailabilityException(Reference):
    """One date on which hours are added or closed, in wall time of the zone."""

    class Kind(models.TextChoices):
        EXTRA = "extra", _("Extra hours")
        CLOSED = "closed", _("Closed")

    specialist = models.ForeignKey(Specialist, on_delete=models.PROTECT, related_name="exceptions")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    date = models.DateField()
    starts = models.TimeField()
    ends = models.TimeField()
    time_zone = models.CharField(max_length=64, default="Africa/Casablanca")


class Leave(Reference):
    """Whole days away, first and last included, in the specialist's zone."""

    specialist = models.ForeignKey(Specialist, on_delete=models.PROTECT, related_name="leaves")
    first_day = models.DateField()
    last_day = models.DateField()


class Question(Reference):
    """An intake question; of one speciality, or of all when none is named."""

    class Kind(models.TextChoices):
        YES_NO = "yes_no"
        CHOICE = "choice"
        TEXT = "text"

    speciality = models.ForeignKey(
        Speciality, null=True, blank=True, on_delete=models.PROTECT, related_name="questions"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    text = LocalizedTextField()
    options = models.JSONField(default=list, blank=True)  # a list of localized texts
    danger_sign = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=100)


class AppointmentStatus(models.TextChoices):
    """FHIR R4 appointmentstatus."""

    PROPOSED = "proposed", _("Proposed")
    PENDING = "pending", _("Waiting for confirmation")
    BOOKED = "booked", _("Booked")
    ARRIVED = "arrived", _("Arrived")
    CHECKED_IN = "checked-in", _("Checked in")
    FULFILLED = "fulfilled", _("Done")
    CANCELLED = "cancelled", _("Cancelled")
    NOSHOW = "noshow", _("Did not come")
    WAITLIST = "waitlist", _("On the waiting list")
    ENTERED_IN_ERROR = "entered-in-error", _("Entered in error")


class Appointment(Row):
    """A booked visit: UTC times, and the wall time and zone that the people agreed on.

    ``requested_specialist`` was asked for, ``specialist`` performs. ``sequence`` is the calendar
    entry's (RFC 5545 3.8.7.4): it rises with every change that people must hear of.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="appointments")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="appointments")
    requested_specialist = models.ForeignKey(
        Specialist, on_delete=models.PROTECT, related_name="requested_appointments"
    )
    specialist = models.ForeignKey(
        Specialist, on_delete=models.PROTECT, related_name="appointments"
    )
    patient_place = models.CharField(max_length=12, choices=PatientPlace.choices)
    site = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="appointments"
    )
    starts_at = models.DateTimeField(db_index=True)
    ends_at = models.DateTimeField()
    local_start = models.CharField(max_length=16)  # 2026-11-24T14:30, in time_zone
    time_zone = models.CharField(max_length=64)
    tzdata_version = models.CharField(max_length=8)
    status = models.CharField(
        max_length=16, choices=AppointmentStatus.choices, default=AppointmentStatus.BOOKED
    )
    reason = SealedTextField(blank=True)
    intake = SealedJSONField(blank=True)
    sequence = models.PositiveIntegerField(default=0)
    booked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    representative = models.ForeignKey(
        "accounts.Representative",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)  # by the specialist
    attendance_confirmed_at = models.DateTimeField(null=True, blank=True)  # by the patient's side
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    cancel_reason = SealedTextField(blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)  # the first arrival, stamped once
    outcome_set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )  # a person's outcome is never overwritten by an automatic one
    outcome_reason = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [models.Index(fields=["specialist", "starts_at"])]


class Hold(models.Model):
    """A slot kept for some minutes while somebody confirms: not an appointment."""

    retention: ClassVar[str] = retention.TECHNICAL

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="holds"
    )
    starts_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField(default=clock.now)


class OccupiedInterval(models.Model):
    """The one table that says what is taken; a database constraint forbids overlaps.

    ``starts_at`` and ``ends_at`` include the resource's own buffers. Half-open: one may begin
    where another ends.
    """

    retention: ClassVar[str] = retention.ADMINISTRATIVE

    class Resource(models.TextChoices):
        SPECIALIST = "specialist"
        PATIENT = "patient"
        PLACE = "place"

    resource_kind = models.CharField(max_length=12, choices=Resource.choices)
    resource = models.UUIDField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    appointment = models.ForeignKey(
        Appointment, null=True, blank=True, on_delete=models.CASCADE, related_name="occupies"
    )
    hold = models.ForeignKey(
        Hold, null=True, blank=True, on_delete=models.CASCADE, related_name="occupies"
    )

    class Meta:
        indexes = [models.Index(fields=["resource_kind", "resource", "starts_at"])]
        constraints = [
            models.CheckConstraint(
                name="occupied_by_one_thing",
                condition=Q(appointment__isnull=False, hold__isnull=True)
                | Q(appointment__isnull=True, hold__isnull=False),
            ),
            models.CheckConstraint(
                name="occupied_forwards", condition=Q(ends_at__gt=models.F("starts_at"))
            ),
        ]


class PersonalLink(Row):
    """A link for one person to one appointment. Neither token nor code is stored in clear:
    both are derived by HMAC from a server key, this row's id and its issue number."""

    retention: ClassVar[str] = retention.GUEST

    class Kind(models.TextChoices):
        PATIENT = "patient", _("Patient")
        COMPANION = "companion", _("Companion")
        INTERPRETER = "interpreter", _("Interpreter")

    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="links")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    name = SealedTextField(blank=True)
    language = models.CharField(max_length=8, default="fr")
    issue = models.PositiveIntegerField(default=1)
    key_id = models.CharField(max_length=16)
    tries_left = models.PositiveSmallIntegerField(default=5)
    expires_at = models.DateTimeField()
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
