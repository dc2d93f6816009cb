"""What pages of the visit send that is more than a word: parsed here."""

from django import forms

from consultations.conntests import Measured
from consultations.models import CallRecord, ConnectionTest


class MeasuredForm(forms.Form):
    """The result of one connection test."""

    verdict = forms.ChoiceField(choices=ConnectionTest.Verdict.choices)
    expected_mode = forms.ChoiceField(choices=CallRecord.Mode.choices, required=False)
    kbit_up = forms.IntegerField(min_value=0, max_value=1_000_000)
    kbit_down = forms.IntegerField(min_value=0, max_value=1_000_000)
    round_trip_ms = forms.IntegerField(min_value=0, max_value=60_000)
    loss = forms.FloatField(min_value=0, max_value=1)

    def measured(self) -> Measured:
        return Measured(**self.cleaned_data)
