"""What is typed beside the video. Texts come back exactly as they were typed."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from telemed.records.rules import LONGEST_TEXT


class NoteForm(forms.Form):
    text = forms.CharField(
        label=_("Note"),
        required=False,
        strip=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 10, "dir": "auto"}),
    )
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class SummaryForm(forms.Form):
    language = forms.ChoiceField(label=_("In the patient's language"), choices=settings.LANGUAGES)
    text = forms.CharField(
        label=_("What the patient takes home"),
        required=False,
        strip=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 8, "dir": "auto"}),
    )
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class VersionForm(forms.Form):
    """Which version somebody had before their eyes when they signed or released it."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
