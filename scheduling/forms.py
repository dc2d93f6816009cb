"""What booking pages send: parsed here, decided in rules and actions."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from scheduling.find import Wish
from scheduling.models import (
    AvailabilityException,
    AvailabilityRule,
    Leave,
    PatientPlace,
    PersonalLink,
    Question,
    Service,
)
from telemed.accounts.models import Sex, SpokenLanguage
from telemed.lib.fields import localized

ANY = ("", _("No preference"))


class MomentField(forms.Field):
    """An aware ISO 8601 moment, such as ``2026-11-24T14:30:00+00:00``; UTC when cleaned."""

    def to_python(self, value: Any) -> datetime | None:
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise forms.ValidationError(_("This is not a time."), code="invalid") from None
        if moment.tzinfo is None:
            raise forms.ValidationError(_("This is not a time."), code="invalid")
        return moment.astimezone(UTC)


class HoldForm(forms.Form):
    """A press on a time."""

    service = forms.UUIDField()
    patient = forms.UUIDField()
    starts_at = MomentField()
    replaces = forms.UUIDField(required=False)
    hold = forms.UUIDField(required=False)


class WishForm(forms.Form):
    """The filters of the list; wrong values filter nothing."""

    language = forms.ChoiceField(
        label=_("Language spoken"), choices=[ANY, *SpokenLanguage.choices], required=False
    )
    sex = forms.ChoiceField(
        label=_("Man or woman"),
        choices=[ANY, (Sex.FEMALE, _("A woman")), (Sex.MALE, _("A man"))],
        required=False,
    )
    place = forms.ChoiceField(
        label=_("Where you will sit"), choices=[ANY, *PatientPlace.choices], required=False
    )

    def wish(self) -> Wish:
        self.is_valid()
        return Wish(**{name: self.cleaned_data.get(name) or "" for name in self.fields})


class IntakeForm(forms.Form):
    """The reason and the speciality's questions, in the active language. Nothing is required:
    booking never refuses help."""

    reason = forms.CharField(
        label=_("Why do you want to see the doctor?"),
        help_text=_("In your own words. Only those who care for you read it."),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, questions: Iterable[Question], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.questions = {f"q-{question.pk}": question for question in questions}
        for name, question in self.questions.items():
            self.fields[name] = _field(question)
        danger = [name for name, question in self.questions.items() if question.danger_sign]
        self.order_fields([*danger, "reason"])

    def answers(self) -> dict[str, Any]:
        """By question id; what was not answered is left out."""
        return {
            str(question.pk): self.cleaned_data[name]
            for name, question in self.questions.items()
            if self.cleaned_data.get(name)
        }


def _field(question: Question) -> forms.Field:
    label = localized(question.text)
    boxes = forms.RadioSelect(attrs={"class": "boxed"})
    if question.kind == Question.Kind.YES_NO:
        choices: list[tuple[str, Any]] = [("no", _("No")), ("yes", _("Yes"))]
        return forms.ChoiceField(label=label, choices=choices, required=False, widget=boxes)
    if question.kind == Question.Kind.CHOICE:
        options = [(str(number), localized(text)) for number, text in enumerate(question.options)]
        return forms.ChoiceField(label=label, choices=options, required=False, widget=boxes)
    return forms.CharField(label=label, required=False, max_length=500)


def questions_for(service: Service) -> list[Question]:
    """Those of everybody and of the speciality, danger signs first."""
    rows = Question.objects.filter(
        Q(speciality__isnull=True) | Q(speciality=service.speciality_id), retired_at__isnull=True
    )
    return list(rows.order_by("-danger_sign", "position"))


class MoveForm(forms.Form):
    starts_at = MomentField()
    sequence = forms.IntegerField(min_value=0)


class CancelForm(forms.Form):
    reason = forms.CharField(
        label=_("Why? It helps to plan."),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class LinkForm(forms.Form):
    """Inviting somebody without a login to one appointment."""

    kind = forms.ChoiceField(
        label=_("Who comes"),
        choices=[
            (PersonalLink.Kind.INTERPRETER.value, PersonalLink.Kind.INTERPRETER.label),
            (PersonalLink.Kind.COMPANION.value, PersonalLink.Kind.COMPANION.label),
        ],
        widget=forms.RadioSelect(attrs={"class": "boxed"}),
    )
    name = forms.CharField(label=_("Their name, as the others will read it"), max_length=80)


WEEKDAYS = [
    (0, _("Monday")),
    (1, _("Tuesday")),
    (2, _("Wednesday")),
    (3, _("Thursday")),
    (4, _("Friday")),
    (5, _("Saturday")),
    (6, _("Sunday")),
]
_TIME = {"type": "time"}
_DATE = {"type": "date"}


def _day(label: Any, required: bool = True) -> forms.DateField:
    # A browser's date input speaks ISO 8601 whatever the page's language.
    widget = forms.DateInput(attrs=_DATE, format="%Y-%m-%d")
    return forms.DateField(
        label=label, required=required, widget=widget, input_formats=["%Y-%m-%d"]
    )


def _hour(label: Any) -> forms.TimeField:
    return forms.TimeField(label=label, widget=forms.TimeInput(attrs=_TIME, format="%H:%M"))


class RuleForm(forms.ModelForm):
    weekday = forms.TypedChoiceField(label=_("Day of the week"), choices=WEEKDAYS, coerce=int)
    starts = _hour(_("From"))
    ends = _hour(_("Until"))
    valid_from = _day(_("Beginning on"))
    valid_to = _day(_("Until the end of"), required=False)

    class Meta:
        model = AvailabilityRule
        fields = ["weekday", "starts", "ends", "valid_from", "valid_to"]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        first, last = values.get("valid_from"), values.get("valid_to")
        if first and last and last < first:
            self.add_error("valid_to", _("The last day is before the first."))
        return values


class ExceptionForm(forms.ModelForm):
    kind = forms.ChoiceField(
        label=_("What is different"),
        choices=AvailabilityException.Kind.choices,
        widget=forms.RadioSelect(attrs={"class": "boxed"}),
    )
    date = _day(_("On"))
    starts = _hour(_("From"))
    ends = _hour(_("Until"))

    class Meta:
        model = AvailabilityException
        fields = ["kind", "date", "starts", "ends"]


class LeaveForm(forms.ModelForm):
    first_day = _day(_("First day away"))
    last_day = _day(_("Last day away"))

    class Meta:
        model = Leave
        fields = ["first_day", "last_day"]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        first, last = values.get("first_day"), values.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day is before the first."))
        return values
