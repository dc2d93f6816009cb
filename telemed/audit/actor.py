"""Who did something, as the audit names people: by plain UUID, never by text."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Actor:
    """``id`` is a user's for "user", a guest session's for "guest", nothing for "system".

    ``on_behalf_of`` is the patient represented, ``organisation`` the site acted from.
    """

    kind: Literal["user", "guest", "system"]
    id: UUID | None
    role: str = ""
    on_behalf_of: UUID | None = None
    organisation: UUID | None = None


SYSTEM = Actor("system", None)
