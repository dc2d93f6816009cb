"""Forms of people who work, and of places."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from telemed.accounts.access import Viewer
from telemed.accounts.models import Act, Organisation
from telemed.accounts.roles import May, Role
from telemed.accounts.sign_up import RegionField
from telemed.accounts.staff import Grant, Place
from telemed.accounts.templatetags.people import ROLES

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class GrantForm(forms.Form):
    role = forms.ChoiceField(
        label=_("Role"), choices=[(role.value, ROLES[role]) for role in Role if role != "patient"]
    )
    organisation = RegionField(label=_("Place"), queryset=Organisation.objects.none())
    valid_to = forms.DateField(label=_("Until"), required=False, widget=DAY)

    def __init__(self, viewer: Viewer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = viewer.organisations(May.MEMBERSHIP_EDIT)
        self.fields["organisation"].queryset = places  # type: ignore[attr-defined]

    def grant(self) -> Grant:
        names = ("role", "organisation", "valid_to")
        return Grant(**{name: self.cleaned_data[name] for name in names})


class PersonForm(GrantForm):
    name = forms.CharField(label=_("Name (Latin letters)"), max_length=120)
    name_ar = forms.CharField(
        label=_("Name (Arabic letters)"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"dir": "rtl", "lang": "ar"}),
    )
    email = forms.EmailField(label=_("E-mail"))
    field_order = ("name", "name_ar", "email", "role", "organisation", "valid_to")


class PlaceForm(forms.ModelForm):
    """One field a language for what exists per language."""

    class Meta:
        model = Organisation
        fields = (
            "phone",
            "latitude",
            "longitude",
            "acts_authorised",
            "authorisation_number",
            "authorisation_expires",
            "data_protection_reference",
            "emergency_number",
            "nearest_hospital_phone",
            "recording_enabled",
            "recording_reference",
        )
        labels = {
            "phone": _("Phone"),
            "latitude": _("Latitude"),
            "longitude": _("Longitude"),
            "authorisation_number": _("Authorisation number"),
            "authorisation_expires": _("Authorised until"),
            "data_protection_reference": _("Data-protection authorisation (CNDP)"),
            "emergency_number": _("Emergency number"),
            "nearest_hospital_phone": _("Phone of the nearest hospital"),
            "recording_enabled": _("Visits may be recorded, if everybody present agrees"),
            "recording_reference": _("Data-protection authorisation of recordings (CNDP)"),
        }
        widgets = {"authorisation_expires": DAY}

    PER_LANGUAGE = {
        "name": _("Name"),
        "address": _("Address"),
        "nearest_hospital": _("Nearest hospital"),
        "recording_purpose": _("What recordings are for"),
    }

    acts_authorised = forms.MultipleChoiceField(
        label=_("Authorised acts"),
        choices=Act.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first: list[str] = []
        for name, label in self.PER_LANGUAGE.items():
            for code, language in settings.LANGUAGES:
                key = f"{name}_{code}"
                first.append(key)
                self.fields[key] = forms.CharField(
                    label=f"{label} · {language}",
                    max_length=200,
                    required=key == "name_fr",
                    initial=getattr(self.instance, name).get(code, ""),
                )
        self.order_fields(
            [key for key in first if not key.startswith("recording")]
            + [name for name in self.Meta.fields if not name.startswith("recording")]
            + ["recording_enabled"]
        )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("recording_enabled"):
            for name in ("recording_purpose_fr", "recording_reference"):
                if not (data.get(name) or "").strip():
                    self.add_error(name, _("Needed before visits may be recorded."))
        return data

    def place(self) -> Place:
        texts = {name: self._texts(name) for name in self.PER_LANGUAGE}
        facts = {name: self.cleaned_data[name] for name in self.Meta.fields}
        return Place(texts.pop("name"), {**facts, **texts})

    def _texts(self, name: str) -> dict[str, str]:
        typed = {code: self.cleaned_data[f"{name}_{code}"] for code, _name in settings.LANGUAGES}
        return {code: text for code, text in typed.items() if text}


class NewPlaceForm(PlaceForm):
    kind = forms.ChoiceField(
        label=_("Kind of place"),
        choices=[pair for pair in Organisation.Kind.choices if pair[0] != "ministry"],
    )
    parent = RegionField(label=_("Belongs to"), queryset=Organisation.objects.none())

    def __init__(self, viewer: Viewer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = viewer.organisations(May.ORGANISATION_EDIT)
        self.fields["parent"].queryset = places  # type: ignore[attr-defined]
        self.order_fields(["kind", "parent"])
