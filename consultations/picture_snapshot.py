"""The part of a snapshot about pictures that were asked for (PROTOCOL.md section 5). Pure."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from consultations.facts import Facts
from consultations.models import Participant, ParticipantRole, Picture
from telemed.lib import formats

Name = Callable[[Participant], str]
SEE_ALL = frozenset({ParticipantRole.SPECIALIST, ParticipantRole.PRESENTER})


def of(facts: Facts, you: Participant, name: Name) -> list[dict[str, Any]]:
    """Professionals see all, others what was asked of them."""
    return [
        _shown(facts, one, you, name)
        for one in facts.pictures
        if you.role in SEE_ALL or one.participant_id == you.pk
    ]


def _shown(facts: Facts, one: Picture, you: Participant, name: Name) -> dict[str, Any]:
    taker = facts.participant(one.participant_id)
    seen = one.state == Picture.State.READY and you.role in SEE_ALL
    return {
        "id": str(one.pk),
        "participant": str(one.participant_id),
        "name": name(taker) if taker else "",
        "site": one.body_site,
        "side": one.side,
        "state": one.state,
        "bytes": one.announced,
        "sha256": one.sha256,
        "at": formats.hour(one.taken_at or one.received_at, facts.appointment.time_zone),
        "url": reverse("consultations:picture", args=[one.pk]) if seen else None,
    }
