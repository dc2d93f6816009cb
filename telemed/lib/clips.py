"""Spoken explanations for people who do not read: clips that the operator records.

A clip is a file ``<CLIPS_DIR>/<spoken language>/<clip>.ogg``, the language a code of
``accounts.SpokenLanguage``. None ship with the product: a voice must come from the region.
"""

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

SUFFIX = ".ogg"

# What a person who does not read must be able to hear, by the step it explains.
CLIPS = {
    "danger": "The danger signs, and the number to call",
    "booking": "How to choose a time",
    "booked": "What was booked, and what to prepare",
    "link": "What the link is for, and where the code is found",
    "check": "How to turn on camera and microphone",
    "consent": "The words of the consent, whole",
    "waiting": "That the doctor knows, and that the place is kept",
    "emergency": "What the emergency button does",
}


def find(clip: str, languages: Iterable[str]) -> str | None:
    """The static path of the first of the person's spoken languages that has the clip."""
    directory: Path = settings.CLIPS_DIR
    for language in languages:
        if language.isalpha() and (directory / language / (clip + SUFFIX)).is_file():
            return f"clips/{language}/{clip}{SUFFIX}"
    return None


def missing(languages: Iterable[str]) -> list[tuple[str, str]]:
    """``(language, clip)`` of all that the operator has not recorded yet."""
    return [
        (language, clip)
        for language in languages
        for clip in CLIPS
        if find(clip, [language]) is None
    ]
