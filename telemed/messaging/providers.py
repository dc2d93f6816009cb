"""Who carries an SMS. A provider gets the idempotency key and refuses it the second time."""

import json
import re
from typing import Any, Protocol

import httpx
from django.conf import settings
from django.db import IntegrityError, transaction

from telemed.messaging.models import Message, ShownMessage
from telemed.messaging.refusals import RepeatedKey, Undelivered

HTTP_TIMEOUT = 20.0  # seconds, for each of connect, write and read
# The gateway was busy or hurried (RFC 9110 408, RFC 8470 425, RFC 6585 429): worth another try.
_TRY_AGAIN = frozenset({408, 425, 429})
_PLACEHOLDER = re.compile(r"\{(?:to|text|sender|key)\}")


class SmsProvider(Protocol):
    def send(self, address: str, text: str, key: str) -> None:
        """Returns once the provider has taken the message over.

        Raises ``RepeatedKey`` when it already had, ``Undelivered`` when it has not. Never called
        inside a transaction.
        """


class ShownProvider:
    """The embedded provider: the message appears at /messages/shown/."""

    def send(self, address: str, text: str, key: str) -> None:
        show(Message.Channel.SMS, address, text=text, key=key)


class HttpProvider:
    """Any gateway that takes one JSON request a message.

    ``body`` is the JSON object to post; in its texts {to}, {text}, {sender} and {key} are filled
    in. The key also goes as ``Idempotency-Key``; a gateway that knows it answers 409.
    """

    def __init__(self, url: str, token: str, sender: str, body: dict[str, Any]) -> None:
        self.url, self.sender, self.body = url, sender, body
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def send(self, address: str, text: str, key: str) -> None:
        facts = {"{to}": address, "{text}": text, "{sender}": self.sender, "{key}": key}
        try:
            answer = httpx.post(
                self.url,
                json=_filled(self.body, facts),
                headers={**self.headers, "Idempotency-Key": key},
                timeout=HTTP_TIMEOUT,
            )
        except httpx.HTTPError as error:
            raise Undelivered(type(error).__name__) from error
        if answer.status_code == httpx.codes.CONFLICT:
            raise RepeatedKey
        if not answer.is_success:
            raise Undelivered(
                f"http_{answer.status_code}",
                permanent=answer.is_client_error and answer.status_code not in _TRY_AGAIN,
            )


def sms_provider() -> SmsProvider:
    if settings.SMS_PROVIDER == "shown":
        return ShownProvider()
    return HttpProvider(
        settings.SMS_HTTP_URL,
        settings.SMS_HTTP_TOKEN,
        settings.SMS_SENDER,
        json.loads(settings.SMS_HTTP_BODY),
    )


def show(
    channel: Message.Channel,
    address: str,
    *,
    text: str,
    key: str,
    subject: str = "",
    attachment_name: str = "",
    attachment: str = "",
) -> None:
    """Deliver into the site. Raises ``RepeatedKey`` when this key was shown before."""
    try:
        with transaction.atomic():
            ShownMessage.objects.create(
                idempotency_key=key,
                channel=channel,
                address=address,
                subject=subject,
                text=text,
                attachment_name=attachment_name,
                attachment=attachment,
            )
    except IntegrityError:
        raise RepeatedKey from None


def _filled(value: Any, facts: dict[str, str]) -> Any:
    """Fills texts at any depth; a fact is put in whole, never read again for placeholders."""
    if isinstance(value, dict):
        return {name: _filled(part, facts) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, facts) for part in value]
    if not isinstance(value, str):
        return value
    return _PLACEHOLDER.sub(lambda match: facts[match.group()], value)
