"""Form fields of people: telephone numbers and birth dates."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from telemed.accounts import contacts
from telemed.accounts.models import SpokenLanguage


class SpokenLanguagesField(forms.MultipleChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Languages spoken"))
        kwargs.setdefault("required", False)
        kwargs.setdefault("widget", forms.CheckboxSelectMultiple)
        super().__init__(choices=SpokenLanguage.choices, **kwargs)


class PhoneField(forms.CharField):
    """Cleans to E.164, or "" when nothing was typed."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Phone"))
        kwargs.setdefault(
            "widget",
            forms.TelInput(attrs={"autocomplete": "tel", "inputmode": "tel", "dir": "ltr"}),
        )
        kwargs.setdefault("max_length", 32)
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return ""
        try:
            return contacts.phone(text)
        except contacts.NotAPhone:
            raise forms.ValidationError(
                _("This cannot be a telephone number."), code="invalid_phone"
            ) from None
