"""What a patient tells about themselves when they make an account in a browser.

django-allauth mixes this form into its own, so it may not import allauth's forms.
"""

import uuid
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from telemed.accounts import actions
from telemed.accounts.access import today
from telemed.accounts.fields import PhoneField, SpokenLanguagesField
from telemed.accounts.models import Organisation, User
from telemed.accounts.names import script_of
from telemed.audit import actions as audit
from telemed.audit.actor import Actor
from telemed.lib import clock
from telemed.lib.fields import localized


class RegionField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return localized(obj.name)


class SignUp(forms.Form):
    field_order = (
        "given",
        "family",
        "birth_date",
        "region",
        "spoken_languages",
        "contact_phone",
        "phone_shared",
        "messages_wanted",
        "email",
        "password1",
    )

    given = forms.CharField(
        label=_("First name"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    family = forms.CharField(
        label=_("Family name"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    birth_date = forms.DateField(
        label=_("Date of birth"),
        widget=forms.DateInput(attrs={"type": "date", "autocomplete": "bday"}, format="%Y-%m-%d"),
    )
    region = RegionField(
        label=_("Your region"),
        queryset=Organisation.objects.filter(
            kind=Organisation.Kind.GROUP, retired_at__isnull=True
        ).order_by("id"),
    )
    contact_phone = PhoneField(
        required=False,
        help_text=_("Reminders go there. It may be somebody else's in your family."),
    )

    phone_shared = forms.BooleanField(label=_("Others read this phone too"), required=False)
    messages_wanted = forms.BooleanField(
        label=_("Remind me by message"), required=False, initial=True
    )
    spoken_languages = SpokenLanguagesField(label=_("Languages you speak"))

    def clean_birth_date(self) -> Any:
        day = self.cleaned_data["birth_date"]
        if day > today(clock.now()):
            raise forms.ValidationError(_("This day has not come yet."), code="in_the_future")
        return day

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth once the account's row exists: the patient's record comes with it."""
        told = self.cleaned_data
        given, family = told["given"], told["family"]
        script = script_of(f"{given} {family}")
        with transaction.atomic():
            user.name = f"{given} {family}"
            user.name_ar = user.name if script == "Arab" else ""
            user.save(update_fields=["name", "name_ar"])
            patient = actions.make_patient(
                told["region"],
                actions.Registration(
                    id=uuid.uuid4(),
                    names=(actions.Name(script, given, family),),
                    birth_date=told["birth_date"],
                    spoken_languages=told["spoken_languages"],
                    language=(get_language() or "fr")[:2],
                    phone=told["contact_phone"],
                    phone_shared=told["phone_shared"],
                    messages_wanted=told["messages_wanted"],
                ),
                user=user,
            )
            actor = Actor("user", user.id, role="patient")
            audit.record("patient.sign_up", actor, patient=patient.id)
