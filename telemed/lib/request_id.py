"""The id that ties a request's log lines, audit events and error page together."""

import uuid
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """The running request's, message's or task's id; "" outside of any."""
    return _current.get()


def begin() -> str:
    """Give this context a fresh id and return it."""
    fresh = str(uuid.uuid4())
    _current.set(fresh)
    return fresh
