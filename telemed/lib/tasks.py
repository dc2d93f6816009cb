from celery import shared_task

from telemed.lib import health


@shared_task
def heartbeat() -> None:
    health.worker_is_alive()
