"""Whether the specialist was shown that somebody waits, so that "they know" is only said when true.

Kept in the cache: losing it makes us say less than we know, never more.
"""

from collections.abc import Iterable

from django.core.cache import cache

from consultations import groups, rules
from consultations.models import Participant


def shown(waiting: Iterable[Participant]) -> None:
    """The specialist's page shows them now; told to their rooms the first time."""
    for one in waiting:
        try:
            fresh = cache.add(_key(one), True, int(rules.AWAY_LIMIT.total_seconds()))
        except groups.LOST:
            return
        if fresh:
            groups.hint_room(one.room_id)


def was_shown(one: Participant) -> bool:
    try:
        return bool(cache.get(_key(one)))
    except groups.LOST:
        return False


def _key(one: Participant) -> str:
    """Somebody who went and waits again has to be noticed again."""
    since = int(one.waiting_since.timestamp()) if one.waiting_since else 0
    return f"waits-noticed:{one.pk}:{since}"
