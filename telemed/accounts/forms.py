"""What people fill in: registration, search, contacts, identifiers, representatives."""

import uuid
from typing import Any

from allauth.account.forms import RequestLoginCodeForm
from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from telemed.accounts import actions, contacts, queries
from telemed.accounts.access import Viewer, today
from telemed.accounts.fields import PhoneField, SpokenLanguagesField
from telemed.accounts.models import (
    Organisation,
    Patient,
    PatientContact,
    PatientIdentifier,
    PatientName,
    Representative,
    Sex,
    User,
)
from telemed.accounts.names import script_of_language, search_key
from telemed.accounts.roles import May
from telemed.accounts.rules import Likeness
from telemed.accounts.sign_up import RegionField
from telemed.lib import clock


class CodeByEmailForm(RequestLoginCodeForm):
    """A code is the first step by e-mail only: a phone is shared, lost and given on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("phone", None)
        self.fields["email"].required = True


class SearchForm(forms.Form):
    q = forms.CharField(
        label=_("Name, identity number or phone"),
        max_length=120,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class MessageLanguageField(forms.ChoiceField):
    """Often not the language of whoever fills in the page; that one is only the first guess."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Language of messages"))
        kwargs.setdefault("initial", lambda: (get_language() or settings.LANGUAGE_CODE)[:2])
        super().__init__(choices=settings.LANGUAGES, **kwargs)


class RegistrationForm(forms.Form):
    """One short page. A name in one script is enough; everything else may be unknown."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    organisation = RegionField(label=_("Registered at"), queryset=Organisation.objects.none())
    given = forms.CharField(label=_("First name (Latin letters)"), max_length=80, required=False)
    family = forms.CharField(label=_("Family name (Latin letters)"), max_length=80, required=False)
    given_ar = forms.CharField(
        label=_("First name (Arabic letters)"),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"dir": "rtl", "lang": "ar"}),
    )
    family_ar = forms.CharField(
        label=_("Family name (Arabic letters)"),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"dir": "rtl", "lang": "ar"}),
    )
    sex = forms.ChoiceField(label=_("Sex"), choices=Sex.choices, initial=Sex.UNKNOWN)
    birth_date = forms.DateField(
        label=_("Date of birth"),
        required=False,
        help_text=_("When only the year is known, choose any day of it and say so below."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    birth_precision = forms.ChoiceField(
        label=_("How exact is it?"), choices=Patient.BirthPrecision.choices, initial="day"
    )
    spoken_languages = SpokenLanguagesField()
    language = MessageLanguageField()
    phone = PhoneField(required=False)
    phone_shared = forms.BooleanField(label=_("Others read this phone too"), required=False)
    messages_wanted = forms.BooleanField(
        label=_("Wants reminders by message"), required=False, initial=True
    )
    cin = forms.CharField(
        label=_("Identity card (CIN), if you have seen it"), max_length=32, required=False
    )

    def __init__(self, viewer: Viewer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = viewer.organisations(May.PATIENT_REGISTER)
        self.fields["organisation"].queryset = places  # type: ignore[attr-defined]
        self.fields["organisation"].initial = places.first()
        self.fields["id"].initial = uuid.uuid4()
        if script_of_language(get_language()) == "Arab":
            self.order_fields(["id", "organisation", "given_ar", "family_ar"])

    def clean_birth_date(self) -> Any:
        day = self.cleaned_data["birth_date"]
        if day and day > today(clock.now()):
            raise forms.ValidationError(_("This day has not come yet."), code="in_the_future")
        return day

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.names():
            self.add_error("given", _("Write the name in Latin or in Arabic letters."))
        return given

    def names(self) -> tuple[actions.Name, ...]:
        """The name in each script that was filled in."""
        typed = (("Latn", "given", "family"), ("Arab", "given_ar", "family_ar"))
        made = (
            actions.Name(
                script, self.cleaned_data.get(given, ""), self.cleaned_data.get(family, "")
            )
            for script, given, family in typed
        )
        return tuple(name for name in made if name.given or name.family)

    def likeness(self) -> Likeness:
        name = self.names()[0]
        data = self.cleaned_data
        return Likeness(
            search_key(name.given, name.family),
            data["birth_date"],
            data["birth_precision"],
            data["sex"],
        )

    def paper(self) -> str:
        """The blind index of the identity card."""
        return contacts.identifier_index(PatientIdentifier.System.CIN, self.cleaned_data["cin"])

    def registration(self) -> actions.Registration:
        data = self.cleaned_data
        return actions.Registration(
            id=data["id"],
            names=self.names(),
            sex=data["sex"],
            birth_date=data["birth_date"],
            birth_precision=data["birth_precision"],
            spoken_languages=data["spoken_languages"],
            language=data["language"],
            phone=data["phone"],
            phone_shared=data["phone_shared"],
            messages_wanted=data["messages_wanted"],
            cin=data["cin"],
        )


def _reached_by(row: PatientContact) -> str:
    return contacts.in_words(row.contact_point.system, row.contact_point.value)


class WishesForm(forms.Form):
    """How a patient wants to be spoken to and reached; bound to ``data`` when it was sent."""

    language = MessageLanguageField()
    spoken_languages = SpokenLanguagesField()
    messages_wanted = forms.BooleanField(label=_("Reminders by message"), required=False)
    shared = forms.TypedMultipleChoiceField(
        label=_("Which of these do others read too?"),
        help_text=_("Messages there name neither the place nor the specialist."),
        coerce=uuid.UUID,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, patient: Patient, data: Any = None) -> None:
        reached = queries.Card(patient).contacts
        super().__init__(
            data,
            initial={
                "language": patient.language,
                "spoken_languages": patient.spoken_languages,
                "messages_wanted": patient.messages_wanted,
                "shared": [str(row.id) for row in reached if row.shared],
            },
        )
        choices = [(str(row.id), _reached_by(row)) for row in reached]
        self.fields["shared"].choices = choices  # type: ignore[attr-defined]
        if not choices:
            self.fields.pop("shared")

    def wishes(self) -> actions.Wishes:
        data = self.cleaned_data
        return actions.Wishes(
            data["language"],
            data["spoken_languages"],
            data["messages_wanted"],
            frozenset(data.get("shared", ())),
        )


class CorrectionForm(RegistrationForm):
    """What can be mended of a person later: who they are, not how they are reached."""

    KEPT = (
        "given",
        "family",
        "given_ar",
        "family_ar",
        "sex",
        "birth_date",
        "birth_precision",
        "spoken_languages",
    )

    def __init__(self, viewer: Viewer, patient: Patient, *args: Any, **kwargs: Any) -> None:
        super().__init__(viewer, *args, initial=self._known(patient), **kwargs)
        for name in set(self.fields) - set(self.KEPT):
            del self.fields[name]

    def correction(self) -> actions.Correction:
        plain = ("sex", "birth_date", "birth_precision", "spoken_languages")
        data = self.cleaned_data
        return actions.Correction(self.names(), **{name: data[name] for name in plain})

    @staticmethod
    def _known(patient: Patient) -> dict[str, Any]:
        known: dict[str, Any] = {
            "sex": patient.sex,
            "birth_date": patient.birth_date,
            "birth_precision": patient.birth_precision,
            "spoken_languages": patient.spoken_languages,
        }
        for row in patient.names.filter(voided_at__isnull=True):
            end = "_ar" if row.script == PatientName.Script.ARABIC else ""
            known |= {f"given{end}": row.given, f"family{end}": row.family}
        return known


class PhoneForm(forms.Form):
    phone = PhoneField()
    shared = forms.BooleanField(label=_("Others read this phone too"), required=False)


class IdentifierForm(forms.Form):
    system = forms.ChoiceField(label=_("Kind"), choices=PatientIdentifier.System.choices)
    value = forms.CharField(label=_("Number on the paper you have seen"), max_length=64)

    def clean_value(self) -> str:
        value = str(self.cleaned_data["value"])
        if not contacts.identifier(value):
            raise forms.ValidationError(_("Write its letters and digits."), code="empty")
        return value


class RepresentativeForm(forms.Form):
    id = forms.UUIDField(widget=forms.HiddenInput)
    email = forms.EmailField(label=_("E-mail of their account"))
    relationship = forms.CharField(label=_("Relationship (mother, son …)"), max_length=40)
    legal_basis = forms.ChoiceField(label=_("On what basis"), choices=Representative.Basis.choices)
    may_book = forms.BooleanField(label=_("May book and join"), required=False, initial=True)
    may_be_told = forms.BooleanField(label=_("May be told"), required=False, initial=True)
    may_consent = forms.BooleanField(label=_("May consent"), required=False)
    may_read = forms.BooleanField(label=_("May read summaries"), required=False)
    valid_to = forms.DateField(
        label=_("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["id"].initial = uuid.uuid4()

    def clean_email(self) -> User:
        user = User.objects.filter(
            email=contacts.email(self.cleaned_data["email"]), is_active=True
        ).first()
        if user is None:
            raise forms.ValidationError(_("Nobody has an account with this."), code="unknown")
        return user

    def mandate(self) -> actions.Mandate:
        data = {name: value for name, value in self.cleaned_data.items() if name != "email"}
        return actions.Mandate(**data)


class LinkForm(forms.Form):
    other = forms.UUIDField(label=_("The other record"))


class VoidForm(forms.Form):
    reason = forms.CharField(label=_("Why?"), max_length=200)
