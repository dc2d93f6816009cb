"""Who and what the present piece of work concerns: ids only, for logs and audit events.

The request middleware, the room's consumer and the tasks set them; whatever is logged or audited
below carries them without being handed them.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
person_id: ContextVar[str] = ContextVar("person_id", default="")
room_id: ContextVar[str] = ContextVar("room_id", default="")


def current() -> dict[str, str]:
    """The ids that are set, by the names they have in the logs."""
    ids = {"request": request_id.get(), "person": person_id.get(), "room": room_id.get()}
    return {name: value for name, value in ids.items() if value}


@contextlib.contextmanager
def about(*, request: str = "", person: str = "", room: str = "") -> Iterator[None]:
    """Sets the given ids for the block, and leaves the others as they are."""
    given = ((request_id, request), (person_id, person), (room_id, room))
    tokens = [(variable, variable.set(value)) for variable, value in given if value]
    try:
        yield
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)
