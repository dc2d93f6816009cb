"""People and places: who may sign in, who is cared for, and the dated tree of organisations."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from telemed.accounts import contacts
from telemed.accounts.roles import Role
from telemed.accounts.rows import Reference, Row
from telemed.lib import clock, retention
from telemed.lib.fields import LocalizedTextField, SealedTextField


class UserManager(BaseUserManager["User"]):
    def create_user(
        self, *, email: str | None, password: str | None = None, **fields: Any
    ) -> "User":
        """An account with a hashed password; without one nobody signs in by password."""
        user = self.model(email=contacts.email(email) if email else None, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """Somebody who signs in. As a login an e-mail address or a phone belongs to one user."""

    objects = UserManager()
    retention: ClassVar[str] = retention.ADMINISTRATIVE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True, null=True, blank=True)
    phone = SealedTextField(blank=True)
    phone_index = models.CharField(max_length=64, unique=True, null=True, blank=True)
    phone_verified = models.BooleanField(default=False)
    name = models.CharField(_("name in Latin letters"), max_length=120)
    name_ar = models.CharField(_("name in Arabic letters"), max_length=120, blank=True)
    language = models.CharField(max_length=8, default="fr")
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=clock.now)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        return self.name

    def take_phone(self, e164: str, *, verified: bool) -> None:
        """Make this the login number ("" for none); the row is not saved here."""
        self.phone = e164
        self.phone_index = self.blind_indexes()["phone_index"]
        self.phone_verified = verified and bool(e164)

    def blind_indexes(self) -> dict[str, str | None]:
        return {"phone_index": contacts.login_phone_index(self.phone) or None}


class Act(models.TextChoices):
    """The five acts of decree 2-18-378."""

    TELECONSULTATION = "teleconsultation", _("Teleconsultation")
    TELE_EXPERTISE = "tele_expertise", _("Tele-expertise")
    TELEMONITORING = "telemonitoring", _("Telemonitoring")
    TELEASSISTANCE = "teleassistance", _("Teleassistance")
    MEDICAL_RESPONSE = "medical_response", _("Medical response")


class Organisation(Reference):
    """A ministry, regional group, facility or mobile unit, with what the law ties to its site."""

    class Kind(models.TextChoices):
        MINISTRY = "ministry", _("Ministry")
        GROUP = "group", _("Regional health group")
        FACILITY = "facility", _("Health centre")
        MOBILE_UNIT = "mobile_unit", _("Mobile unit")

    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = LocalizedTextField()
    time_zone = models.CharField(max_length=64, default="Africa/Casablanca")
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    address = LocalizedTextField(blank=True)
    phone = models.CharField(max_length=32, blank=True)
    acts_authorised = models.JSONField(default=list, blank=True)
    authorisation_number = models.CharField(max_length=64, blank=True)
    authorisation_expires = models.DateField(null=True, blank=True)
    data_protection_reference = models.CharField(max_length=64, blank=True)
    emergency_number = models.CharField(max_length=16, blank=True)
    nearest_hospital = LocalizedTextField(blank=True)
    nearest_hospital_phone = models.CharField(max_length=32, blank=True)
    recording_enabled = models.BooleanField(default=False)
    recording_purpose = LocalizedTextField(blank=True)
    recording_reference = models.CharField(max_length=64, blank=True)  # of the CNDP, for it alone

    def __str__(self) -> str:
        return str(self.name.get("fr", self.id))


class OrganisationParent(models.Model):
    """One dated edge of the tree: ``child`` belonged to ``parent`` from and until these days."""

    retention: ClassVar[str] = retention.KEPT

    child = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="parents")
    parent = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="children")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)


class Membership(models.Model):
    """A user's role at an organisation (and all below it) for a period."""

    retention: ClassVar[str] = retention.ADMINISTRATIVE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=16, choices=[(role.value, role.value) for role in Role])
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="memberships"
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)


class SpokenLanguage(models.TextChoices):
    """What people speak, apart from the language of the interface."""

    DARIJA = "ary", _("Darija")
    TACHELHIT = "shi", _("Tachelhit")
    TAMAZIGHT = "tzm", _("Tamazight")
    TARIFIT = "rif", _("Tarifit")
    HASSANIA = "mey", _("Hassania")
    ARABIC = "ar", _("Standard Arabic")
    FRENCH = "fr", _("French")
    ENGLISH = "en", _("English")
    SPANISH = "es", _("Spanish")


class Sex(models.TextChoices):
    """FHIR AdministrativeGender."""

    FEMALE = "female", _("Female")
    MALE = "male", _("Male")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Unknown")


class Patient(Row):
    """Somebody who is cared for; may have no login, no phone and no identity paper."""

    class BirthPrecision(models.TextChoices):
        DAY = "day", _("exact day")
        YEAR = "year", _("year only")
        ESTIMATED = "estimated", _("estimated")

    user = models.OneToOneField(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="patient"
    )
    sex = models.CharField(max_length=8, choices=Sex.choices, default=Sex.UNKNOWN)
    birth_date = models.DateField(null=True, blank=True)
    birth_precision = models.CharField(
        max_length=10, choices=BirthPrecision.choices, default=BirthPrecision.DAY
    )
    spoken_languages = models.JSONField(default=list, blank=True)
    language = models.CharField(max_length=8, default="fr")
    messages_wanted = models.BooleanField(default=True)

    def __str__(self) -> str:
        return str(self.id)


class PatientName(Row):
    """A name in one script. ``search_key`` is the spelling-independent form (accounts.names)."""

    class Script(models.TextChoices):
        LATIN = "Latn", _("Latin letters")
        ARABIC = "Arab", _("Arabic letters")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="names")
    script = models.CharField(max_length=4, choices=Script.choices)
    family = models.CharField(max_length=80)
    given = models.CharField(max_length=80)
    search_key = models.CharField(max_length=160, db_index=True, blank=True)


class PatientIdentifier(Row):
    """One identifier of one system (CIN, AMO, card): validated loosely.

    One record holds it as verified. Another one, of a place whose people cannot see the first,
    has it without ``verified_at`` until somebody who reaches both links them.
    """

    class System(models.TextChoices):
        CIN = "cin", _("Identity card (CIN)")
        AMO = "amo", _("Insurance number (AMO)")
        CARD = "card", _("Patient card")
        PASSPORT = "passport", _("Passport")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="identifiers")
    system = models.CharField(max_length=16, choices=System.choices)
    value = SealedTextField()
    value_index = models.CharField(max_length=64, db_index=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    verified_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["value_index"],
                condition=models.Q(voided_at__isnull=True, verified_at__isnull=False),
                name="one_record_of_a_paper",
            )
        ]

    def blind_indexes(self) -> dict[str, str | None]:
        return {"value_index": contacts.identifier_index(self.system, self.value)}


class ContactPoint(Row):
    """A phone, e-mail or postal address: a way to reach somebody, never an identity."""

    class System(models.TextChoices):
        PHONE = "phone", _("Phone")
        EMAIL = "email", _("E-mail")
        POSTAL = "postal", _("Postal address")

    system = models.CharField(max_length=8, choices=System.choices)
    value = SealedTextField()
    value_index = models.CharField(max_length=64, db_index=True)
    patients: "models.ManyToManyField[Patient, PatientContact]" = models.ManyToManyField(
        Patient, through="PatientContact", related_name="contact_points"
    )

    def blind_indexes(self) -> dict[str, str | None]:
        return {"value_index": contacts.contact_index(self.system, self.value)}


class PatientContact(Row):
    """That a patient is reached through a contact point, and whether others read it too."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="contacts")
    contact_point = models.ForeignKey(
        ContactPoint, on_delete=models.PROTECT, related_name="contacts"
    )
    shared = models.BooleanField(default=False)
    rank = models.PositiveSmallIntegerField(default=1)


class Representative(Row):
    """Who may act for a patient, on what basis, how far and how long: data, since rules change."""

    class Basis(models.TextChoices):
        PARENT = "parent", _("Parent of a minor")
        GUARDIAN = "guardian", _("Legal guardian")
        MANDATE = "mandate", _("Mandate given by the patient")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="representatives")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="represents")
    relationship = models.CharField(max_length=40)
    legal_basis = models.CharField(max_length=16, choices=Basis.choices)
    may_book = models.BooleanField(default=True)
    may_be_told = models.BooleanField(default=True)
    may_consent = models.BooleanField(default=False)
    may_read = models.BooleanField(default=False)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    verified_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )


class PatientLink(Row):
    """That two records are the same person; voiding the row unlinks them. Nothing is merged."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="links")
    same_as = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="linked_from")
    linked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
