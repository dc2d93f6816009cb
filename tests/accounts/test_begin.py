"""The first administrator of an empty installation."""

import pytest
from django.core.management import CommandError, call_command

from telemed.accounts.models import Membership
from telemed.audit.models import Event

pytestmark = pytest.mark.django_db
WORDS = ["--organisation", "Ministère de la Santé", "--name", "Omar", "--email", "omar@gov.example"]


def test_it_makes_one_administrator_once():
    call_command("begin", *WORDS)
    membership = Membership.objects.get()
    assert (membership.role, membership.user.email) == ("administrator", "omar@gov.example")
    assert not membership.user.has_usable_password()
    assert Event.objects.get().action == "installation.begin"
    with pytest.raises(CommandError, match="already"):
        call_command("begin", *WORDS)
