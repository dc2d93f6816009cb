"""Who writes the text of each kind of message: the app that owns the kind registers it."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True)
class Content:
    """What is sent. SMS has ``text`` alone; an ``attachment`` is text, such as a calendar file."""

    subject: str
    text: str
    attachment_name: str = ""
    attachment: str = ""


# (references by name, language) → the text as things are now, or None: no longer worth sending.
Render = Callable[[dict[str, UUID], str], Content | None]

_renderers: dict[str, Render] = {}


def register(kind: str, render: Render) -> None:
    """Call it in ``AppConfig.ready``. ``render`` runs at send time, in the message's language."""
    if kind in _renderers:
        raise ImproperlyConfigured(f"two apps write messages of kind {kind!r}")
    _renderers[kind] = render


def renderer(kind: str) -> Render:
    """Raises ``KeyError`` for a kind that no app writes."""
    return _renderers[kind]


def kinds() -> frozenset[str]:
    return frozenset(_renderers)
