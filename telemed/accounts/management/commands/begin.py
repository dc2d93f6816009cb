from typing import Any

from allauth.account.models import EmailAddress
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from telemed.accounts.access import today
from telemed.accounts.models import Membership, Organisation, User
from telemed.accounts.roles import Role
from telemed.audit import actions as audit
from telemed.audit.actor import SYSTEM
from telemed.lib import clock


class Command(BaseCommand):
    help = (
        "Makes the first organisation and its administrator in an empty installation. The"
        " administrator signs in with a code sent by e-mail, and then chooses a password and a"
        " second factor."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organisation", required=True, help="its name")
        parser.add_argument("--name", required=True, help="the administrator's name")
        parser.add_argument("--email", required=True)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if Membership.objects.filter(role=Role.ADMINISTRATOR).exists():
            raise CommandError("There is an administrator already: people are added in the site.")
        organisation = Organisation.objects.create(
            kind="ministry", name=dict.fromkeys(("fr", "ar", "en"), options["organisation"])
        )
        user = User.objects.create_user(email=options["email"], name=options["name"])
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
        Membership.objects.create(
            user=user,
            role=Role.ADMINISTRATOR,
            organisation=organisation,
            valid_from=today(clock.now()),
        )
        audit.record(
            "installation.begin", SYSTEM, organisation=organisation.id, subject=("user", user.id)
        )
        self.stdout.write(f"{user.email} signs in with a code sent by e-mail.")
