"""What must be right before the outbox is trusted with real people."""

import json
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error

HERE = frozenset({"localhost", "127.0.0.1", "::1"})  # a mail server of this machine


def delivery_is_configured(**_kwargs: Any) -> list[CheckMessage]:
    """In production nothing is merely shown in the site, and an SMS gateway is named whole."""
    found: list[CheckMessage] = []
    if settings.PRODUCTION and settings.SMS_PROVIDER == "shown":
        found.append(_error("SMS would be shown to everybody", "Set SMS_PROVIDER=http.", "E001"))
    if settings.PRODUCTION and settings.EMAIL_BACKEND.endswith("ShownEmailBackend"):
        found.append(_error("mail would be shown to everybody", "Set EMAIL_HOST.", "E002"))
    if settings.SMS_PROVIDER == "http" and not settings.SMS_HTTP_URL:
        found.append(_error("no SMS gateway is named", "Set SMS_HTTP_URL.", "E003"))
    if settings.PRODUCTION and urlsplit(settings.SMS_HTTP_URL).scheme == "http":
        found.append(_error("SMS would travel in the clear", "Set SMS_HTTP_URL=https://…", "E005"))
    if settings.PRODUCTION and not settings.EMAIL_USE_TLS and settings.EMAIL_HOST not in HERE:
        found.append(_error("mail would travel in the clear", "Unset EMAIL_USE_TLS.", "E006"))
    if settings.PRODUCTION and settings.SMS_HTTP_TOKEN.startswith("replace"):
        found.append(_error("the gateway's token is the example's", "Set SMS_HTTP_TOKEN.", "E007"))
    if not _is_json_object(settings.SMS_HTTP_BODY):
        found.append(
            _error("SMS_HTTP_BODY is no JSON object", "See docs/configuration.md.", "E004")
        )
    return found


def _error(text: str, hint: str, number: str) -> Error:
    return Error(text, hint=hint, id=f"messaging.{number}")


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
