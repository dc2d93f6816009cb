"""Retention classes: every model of ours names one; periods stand in ``settings.RETENTION``."""

CLINICAL = "clinical"
ADMINISTRATIVE = "administrative"
MESSAGE = "message"
TECHNICAL = "technical"
GUEST = "guest"
KEPT = "kept"  # audit events and reference data: never purged

CLASSES = frozenset({CLINICAL, ADMINISTRATIVE, MESSAGE, TECHNICAL, GUEST, KEPT})

# The tables of installed packages, which cannot say it themselves.
THIRD_PARTY = {
    "account.EmailAddress": ADMINISTRATIVE,
    "account.EmailConfirmation": TECHNICAL,
    "auth.Group": KEPT,
    "auth.Permission": KEPT,
    "contenttypes.ContentType": KEPT,
    "mfa.Authenticator": ADMINISTRATIVE,
    "sessions.Session": TECHNICAL,
    "usersessions.UserSession": TECHNICAL,
}
