from typing import Any

from django.core.management.base import BaseCommand

from telemed.accounts import authenticators
from telemed.audit import actions as audit
from telemed.audit.actor import SYSTEM
from telemed.lib import crypto, rotation


class Command(BaseCommand):
    help = (
        "Seals every encrypted value with the first key of FIELD_KEYS and blinds every search index"
        " with INDEX_KEY. Put the new key first, run this, then drop the old key. It can run while"
        " people work, and again after a break."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        total = 0
        for model, fields in rotation.sealed_models():
            changed = rotation.seal_again(model, fields)
            total += changed
            self.stdout.write(f"{model._meta.label}: {changed} rewritten")
        changed = authenticators.seal_again()
        self.stdout.write(f"second factors: {changed} rewritten")
        audit.record("field_keys.rotate", SYSTEM, purpose="security")
        self.stdout.write(
            f"{total + changed} rows now stand under key {crypto.current_key_id()!r}."
        )
