"""What an administrator fills in to make a specialist bookable."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from scheduling.actions.profile import Profile
from scheduling.models import PatientPlace, Specialist, Speciality
from telemed.accounts.access import Viewer
from telemed.accounts.models import Organisation, Sex, SpokenLanguage
from telemed.accounts.roles import May
from telemed.lib.fields import localized


class _Named:
    """Labels of rows that are named per language."""

    def label_from_instance(self, obj: Any) -> str:
        return localized(obj.name)


class NamedChoice(_Named, forms.ModelChoiceField):
    pass


class NamedChoices(_Named, forms.ModelMultipleChoiceField):
    pass


def specialities() -> Any:
    return Speciality.objects.filter(retired_at__isnull=True).order_by("position", "code")


class ProfileForm(forms.Form):
    registration_number = forms.CharField(label=_("Registration number (INPE)"), max_length=32)
    sex = forms.ChoiceField(label=_("Sex"), choices=Sex.choices)
    spoken_languages = forms.MultipleChoiceField(
        label=_("Languages spoken"),
        choices=SpokenLanguage.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    specialities = NamedChoices(
        label=_("Specialities"),
        queryset=Speciality.objects.none(),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, known: Specialist | None, *args: Any, **kwargs: Any) -> None:
        if known is not None:
            kwargs["initial"] = {
                "registration_number": known.registration_number,
                "sex": known.sex,
                "spoken_languages": known.spoken_languages,
                "specialities": known.specialities.all(),
            }
        super().__init__(*args, **kwargs)
        self.fields["specialities"].queryset = specialities()  # type: ignore[attr-defined]

    def profile(self) -> Profile:
        data = self.cleaned_data
        return Profile(
            data["registration_number"],
            data["sex"],
            data["spoken_languages"],
            list(data["specialities"]),
        )


class ServiceForm(forms.Form):
    speciality = NamedChoice(label=_("Speciality"), queryset=Speciality.objects.none())
    minutes = forms.IntegerField(label=_("Minutes"), min_value=5, max_value=120, initial=20)
    buffer_after_minutes = forms.IntegerField(
        label=_("Minutes free afterwards"), min_value=0, max_value=60, initial=5
    )
    patient_place = forms.ChoiceField(
        label=_("Where the patient is"), choices=PatientPlace.choices, initial=PatientPlace.HOME
    )
    site = NamedChoice(
        label=_("At which centre or unit"), queryset=Organisation.objects.none(), required=False
    )

    def __init__(self, viewer: Viewer, specialist: Specialist, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = specialist.specialities.filter(retired_at__isnull=True)
        self.fields["speciality"].queryset = offered  # type: ignore[attr-defined]
        sites = viewer.organisations(May.ORGANISATION_EDIT)
        kinds = (Organisation.Kind.FACILITY, Organisation.Kind.MOBILE_UNIT)
        self.fields["site"].queryset = sites.filter(kind__in=kinds)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        place, site = data.get("patient_place"), data.get("site")
        if place and place != PatientPlace.HOME and (site is None or site.kind != place):
            self.add_error("site", _("Choose the centre or unit where the patient sits."))
        return data
