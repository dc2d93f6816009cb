"""When a message is tried again, and when it is given up. Pure."""

from datetime import timedelta

# Longer than any call to a provider may take (settings.EMAIL_TIMEOUT, providers.HTTP_TIMEOUT):
# past it, whoever claimed the message is dead.
CLAIM_TIMEOUT = timedelta(minutes=2)
MAX_ATTEMPTS = 6
MAX_SMS_SEGMENTS = 4


def next_try_in(attempts: int) -> timedelta:
    """How long to wait after the ``attempts``-th failure: 30 s, 2 min, 8 min, 32 min, 2 h."""
    return timedelta(seconds=30 * 4 ** (attempts - 1))


def is_given_up(attempts: int, *, permanent: bool = False) -> bool:
    return permanent or attempts >= MAX_ATTEMPTS
