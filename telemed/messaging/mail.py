"""E-mail through Django: SMTP in production, shown in the site in the embedded default."""

import hashlib
import re
import smtplib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

from telemed.messaging.refusals import Undelivered
from telemed.messaging.registry import Content

_CALENDAR_METHOD = re.compile(r"^METHOD:([A-Z]+)\r?$", re.MULTILINE)


def send(address: str, content: Content, key: str) -> None:
    """Hand one mail over. SMTP knows no idempotency key: a repeat carries the same Message-ID,
    by which mailboxes recognise it. Raises ``Undelivered``, ``RepeatedKey``."""
    mail = EmailMessage(
        content.subject, content.text, to=[address], headers={"Message-ID": message_id(key)}
    )
    if content.attachment:
        mail.attach(
            content.attachment_name, content.attachment.encode(), _media_type(content.attachment)
        )
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _reason in error.recipients.values()]
        raise Undelivered("recipient_refused", permanent=min(codes) >= 500) from error
    except smtplib.SMTPResponseException as error:
        raise Undelivered(f"smtp_{error.smtp_code}", permanent=error.smtp_code >= 550) from error
    except (smtplib.SMTPException, OSError) as error:
        raise Undelivered(type(error).__name__) from error


def message_id(key: str) -> str:
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{host}>"


def _media_type(attachment: str) -> str:
    """A calendar entry names its method, or mail programs offer no answer (RFC 6047 2.4)."""
    method = _CALENDAR_METHOD.search(attachment)
    return f"text/calendar; charset=utf-8; method={method[1]}" if method else "text/plain"
