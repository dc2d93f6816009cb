"""Accounts that sign in, and what they are sent."""

import re

from allauth.account.models import EmailAddress

from telemed.accounts.models import User
from telemed.lib import clock
from telemed.messaging import delivery
from telemed.messaging.models import ShownMessage
from tests import make

PASSWORD = "a long and rare passphrase"


def account(email="moha@cast.example", name="Moha Naciri", **fields) -> User:
    user = make.user(email, name, password=PASSWORD, **fields)
    if email:
        EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    return user


def sign_in(client, login, password=PASSWORD):
    return client.post("/accounts/login/", {"login": login, "password": password})


def signed_in(client) -> bool:
    return "_auth_user_id" in client.session


def deliver():
    for id in delivery.due(clock.now(), 50):
        delivery.deliver(id)


def last_shown(channel) -> str:
    deliver()
    message = ShownMessage.objects.filter(channel=channel).order_by("shown_at").last()
    return message.text if message else ""


def code_in(text) -> str:
    """Codes stand on a line or in a sentence of their own: letters and digits, a hyphen."""
    found = re.findall(r"\b(?=[A-Z0-9-]*[0-9-])[A-Z0-9]{3,4}-?[A-Z0-9]{3,4}\b", text)
    return found[0]
