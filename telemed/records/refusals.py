"""Why the records will not do something. Codes are stable; texts are translated."""

from telemed.lib import refusals


class Refused(refusals.Refused):
    """``stale`` carries ``stored``, ``yours`` and ``version``. Others: ``empty``, ``signed``,
    ``released``."""
