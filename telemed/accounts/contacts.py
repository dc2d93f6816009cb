"""One spelling for each phone number, e-mail address and identifier, so that equal ones meet."""

import re

import phonenumbers

from telemed.lib import crypto

HOME_REGION = "MA"


class NotAPhone(ValueError):
    """Text in which no telephone number that could exist was found."""


def phone(text: str) -> str:
    """E.164, read as dialled in Morocco unless it names a country: ``+212661234567``."""
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except phonenumbers.NumberParseException:
        raise NotAPhone(text) from None
    if not phonenumbers.is_possible_number(number):
        raise NotAPhone(text)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone_in_words(e164: str) -> str:
    """As people write it: ``06 61 23 45 67`` at home, ``+33 …`` for another country."""
    number = phonenumbers.parse(e164)
    home = phonenumbers.region_code_for_number(number) == HOME_REGION
    style = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, style.NATIONAL if home else style.INTERNATIONAL)


def in_words(system: str, value: str) -> str:
    """As people write it."""
    return phone_in_words(value) if system == "phone" else value


def email(text: str) -> str:
    return text.strip().lower()


def identifier(text: str) -> str:
    """Letters and digits only, in capitals: no official format is published, so none is asked."""
    return re.sub(r"[\W_]", "", text).upper()


def login_phone_index(e164: str) -> str:
    """Finds the one user whose login this is; apart from the index of contact points."""
    return crypto.blind_index("user.phone", e164)


def contact_index(system: str, value: str) -> str:
    return crypto.blind_index(f"contact.{system}", value)


def identifier_index(system: str, value: str) -> str:
    return crypto.blind_index(f"identifier.{system}", identifier(value))
