"""Retention classes: every model of ours names one; periods stand in ``settings.RETENTION``."""

CLINICAL = "clinical"
ADMINISTRATIVE = "administrative"
MESSAGE = "message"
TECHNICAL = "technical"
GUEST = "guest"
KEPT = "kept"  # audit events and reference data: never purged
