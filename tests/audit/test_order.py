"""Events of many processes stand in one order, and none is lost."""

import threading

import pytest
from django.core.management import call_command
from django.db import connections, transaction

from telemed.audit.actions import record
from telemed.audit.actor import SYSTEM
from telemed.audit.models import Event


@pytest.mark.django_db(transaction=True)
def test_appends_at_the_same_time_make_one_chain():
    together = threading.Barrier(4)
    wrong = []

    def append():
        together.wait()
        try:
            for _ in range(10):
                with transaction.atomic():
                    record("race", SYSTEM)
        except Exception as error:  # noqa: BLE001 told by the assertion below
            wrong.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=append) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert Event.objects.count() == 40
    call_command("verify_audit")
