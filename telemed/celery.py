"""Worker and beat. Tasks hold ids only: what is due stands in the database, not in the broker."""

import os
from datetime import timedelta
from logging.config import dictConfig
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging, worker_ready
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telemed.settings")

app = Celery("telemed")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Each periodic task asks the database what is due and claims it there; a missed or doubled tick
# therefore does no harm. An app's tasks stand in its tasks.py; when they run is told here alone.
app.conf.beat_schedule = {
    "heartbeat": {"task": "telemed.lib.tasks.heartbeat", "schedule": timedelta(seconds=10)},
    "deliver messages": {
        "task": "telemed.messaging.tasks.deliver_due",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    },
    "purge": {"task": "telemed.desk.tasks.purge_expired", "schedule": crontab(hour=2, minute=17)},
    "times after new zone data": {
        "task": "scheduling.tasks.rederive_times",
        "schedule": timedelta(hours=1),
    },
    "who came": {
        "task": "consultations.tasks.settle_attendance",
        "schedule": timedelta(minutes=5),
    },
    "recordings": {
        "task": "consultations.tasks.attend_recordings",
        "schedule": timedelta(seconds=60),
    },
    "pictures": {
        "task": "consultations.tasks.attend_pictures",
        "schedule": timedelta(seconds=60),
    },
    "make documents": {
        "task": "telemed.records.tasks.make_missing_documents",
        "schedule": timedelta(seconds=60),
    },
}


@setup_logging.connect
def _log_as_the_other_processes(**kwargs: Any) -> None:
    """Celery would lay its own handlers over ours."""
    dictConfig(settings.LOGGING)


@worker_ready.connect
def _say_ready(**kwargs: Any) -> None:
    """Beat's first tick is ten seconds away; whoever waits for the start need not wait for it."""
    from telemed.lib.health import worker_is_alive

    worker_is_alive()
