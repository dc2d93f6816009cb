"""The living style page: every component in its states. Routed outside production only."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from telemed.lib import clock, states
from telemed.lib.timeline import Window

ZONE = "Africa/Casablanca"
COLOURS = [
    "ground",
    "surface",
    "raised",
    "sunk",
    "line",
    "line-strong",
    "ink",
    "ink-soft",
    "accent",
    "accent-deep",
    "accent-soft",
    "now",
    "now-soft",
    "ok",
    "ok-soft",
    "warn",
    "warn-soft",
    "danger",
    "danger-soft",
    "focus",
]
DRAWINGS = Path(settings.BASE_DIR, "templates", "pictograms")


class SampleForm(forms.Form):
    """One field of each kind, so that their states can be seen."""

    name = forms.CharField(label=_("Full name"), help_text=_("As on the identity card."))
    phone = forms.CharField(label=_("Phone"), widget=forms.TextInput({"type": "tel"}))
    birth = forms.DateField(
        label=_("Date of birth"), required=False, widget=forms.DateInput({"type": "date"})
    )
    language = forms.ChoiceField(
        label=_("Spoken language"),
        choices=[("ary", _("Darija")), ("shi", _("Tachelhit")), ("fr", _("French"))],
    )
    place = forms.ChoiceField(
        label=_("Where will you be?"),
        choices=[(code, place.word) for code, place in states.PLACES.items()],
        widget=forms.RadioSelect({"class": "boxed"}),
    )
    reason = forms.CharField(label=_("Reason for the visit"), widget=forms.Textarea)
    agree = forms.BooleanField(label=_("I was told how my data is used"))


def styleguide(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    wrong = SampleForm({"name": "", "phone": "06", "birth": "31/02/2020", "place": "home"})
    day = Window.around(now, ZONE)
    half_hour = timedelta(minutes=30)
    context: dict[str, Any] = {
        "day": day,
        "day_now": day.at(now),
        "bars": [
            (tone, day.bar(start, start + half_hour), start)
            for tone, start in (
                ("ok", now - 3 * half_hour),
                ("now", now - timedelta(minutes=10)),
                ("accent", now + 2 * half_hour),
                ("warn", now + 4 * half_hour),
            )
        ],
        "zone": ZONE,
        "soon": now + timedelta(minutes=12),
        "later": now + timedelta(days=6, hours=3),
        "past": now - timedelta(days=41),
        "colours": COLOURS,
        "pictograms": sorted(path.stem for path in DRAWINGS.glob("*.svg")),
        "states": states.STATES,
        "form": SampleForm(initial={"place": "home"}),
        "wrong": wrong,
        "days": [(now + timedelta(days=n)).date() for n in range(9)],
        "tones": ("plain", "now", "ok", "warn", "danger"),
    }
    return render(request, "styleguide.html", context)


def room(request: HttpRequest) -> HttpResponse:
    """The call with drawn people; ``?side=1`` opens what stands beside the picture."""
    return render(request, "styleguide_room.html")
