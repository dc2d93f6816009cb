"""The components: every state has its word, every drawing exists, nothing passes unescaped."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template
from django.utils import translation

from consultations.models import Consultation, Participant, Recording, Room
from scheduling.models import Appointment
from telemed.lib import states
from telemed.lib.templatetags import look
from telemed.messaging.models import Message

MOMENT = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
HELD = [
    ("appointment", Appointment, "status"),
    ("consultation", Consultation, "status"),
    ("room", Room, "state"),
    ("participant", Participant, "state"),
    ("message", Message, "state"),
    ("recording", Recording, "state"),
]


def drawn(source, **context):
    return Template("{% load look %}" + source).render(Context(context))


@pytest.mark.parametrize(("subject", "model", "field"), HELD)
def test_every_state_has_a_word_an_icon_and_a_tone(subject, model, field):
    codes = {code for code, _ in model._meta.get_field(field).choices}
    assert set(states.STATES[subject]) == codes
    for code in codes:
        assert "<svg" in drawn("{% state subject code %}", subject=subject, code=code)


def test_every_place_has_a_drawing():
    places = {code for code, _ in Appointment._meta.get_field("patient_place").choices}
    assert set(states.PLACES) == places
    for place in states.PLACES.values():
        assert "<svg" in look.pictogram(place.icon)


def test_every_drawing_is_strokes_only():
    """Colour and width come from the component, so that both themes draw it."""
    for path in Path(settings.BASE_DIR, "templates", "pictograms").glob("*.svg"):
        assert not {"fill", "stroke", "style"} & set(path.read_text().replace("=", " ").split())


def test_what_people_write_stays_text():
    name = "<script>alert(1)</script>"
    source = (
        "{% person name name %}{% button name %}{% tag name %}{{ name|ltr }}"
        "{% card %}{{ name }}{% endcard %}{% notice name %}{{ name }}{% endnotice %}"
        "{% empty name %}{{ name }}{% endempty %}{% dialog 'id' name %}{{ name }}{% enddialog %}"
    )
    assert "<script" not in drawn(source, name=name)


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Dr Salma Bennis", "SB"), ("Amina", "A"), ("د. سلمى بنيس", "س"), ("", "")],
)
def test_a_person_without_a_picture_has_letters(name, letters):
    assert look.person(name)["letters"] == letters


def test_the_hour_stands_left_to_right_with_its_zone():
    with translation.override("ar"):
        page = drawn("{% time_block at zone 'home' %}", at=MOMENT, zone="Africa/Casablanca")
    assert 'class="when-hour ltr"' in page
    assert "14:30" in page
    assert "نونبر" in page
    assert "UTC+0" in page


def test_unknown_arguments_become_attributes():
    assert 'hx-get="/x"' in drawn("{% button 'Go' hx_get='/x' %}")
    assert " disabled" in drawn("{% button 'Go' disabled=True %}")
