"""The reference data is complete in every language, and an operator's change outlives loading."""

import pytest
from django.conf import settings

from scheduling.models import Question, Speciality
from scheduling.seed import load_reference
from scheduling.templatetags.booking import speciality_drawing

pytestmark = pytest.mark.django_db


def test_every_text_exists_in_every_language_and_every_speciality_is_drawn():
    load_reference()
    languages = {code for code, _name in settings.LANGUAGES}
    texts = [speciality.name for speciality in Speciality.objects.all()]
    for question in Question.objects.all():
        texts += [question.text, *question.options]
        assert bool(question.options) == (question.kind == Question.Kind.CHOICE)
    assert all(set(text) == languages and all(text.values()) for text in texts)
    for speciality in Speciality.objects.all():
        assert speciality_drawing(speciality) == speciality.code


def test_loading_again_adds_nothing_and_keeps_what_was_changed():
    load_reference()
    before = Speciality.objects.count(), Question.objects.count()
    Speciality.objects.filter(code="ent").update(name={"fr": "Oto-rhino", "ar": "أ", "en": "E"})
    load_reference()
    assert (Speciality.objects.count(), Question.objects.count()) == before
    assert Speciality.objects.get(code="ent").name["fr"] == "Oto-rhino"


def test_some_danger_signs_are_asked_of_everybody():
    load_reference()
    assert Question.objects.filter(danger_sign=True, speciality=None).count() >= 2
