"""The mail backend of the embedded default."""

import uuid
from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from telemed.messaging import providers
from telemed.messaging.models import Message


class ShownEmailBackend(BaseEmailBackend):
    """Shows each mail at /messages/shown/ instead of sending it.

    The Message-ID is the idempotency key, so a repeated mail raises ``RepeatedKey``.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for mail in email_messages:
            name, attachment = _first_attachment(mail)
            providers.show(
                Message.Channel.EMAIL,
                ", ".join(mail.recipients()),
                text=str(mail.body),
                key=mail.extra_headers.get("Message-ID") or str(uuid.uuid4()),
                subject=str(mail.subject),
                attachment_name=name,
                attachment=attachment,
            )
        return len(email_messages)


def _first_attachment(mail: EmailMessage) -> tuple[str, str]:
    for part in mail.attachments:
        if isinstance(part, tuple):
            name, content, _media_type = part
            text = content.decode() if isinstance(content, bytes) else str(content)
            return str(name or ""), text
    return "", ""
