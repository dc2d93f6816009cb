"""Why scheduling will not do something. Codes are stable; texts are translated."""

from telemed.lib import refusals


class Refused(refusals.Refused):
    """``slot_taken`` and ``not_offered`` carry ``alternatives``: up to three starts (aware, UTC)
    that were free when it was said. Others: ``hold_expired``, ``too_many_holds``, ``stale``,
    ``too_late``, ``wrong_state``, ``wrong_speciality``, ``not_allowed``, ``wrong_code``,
    ``code_locked``."""
