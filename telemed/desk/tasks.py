from celery import shared_task

from telemed.desk import purge


@shared_task
def purge_expired() -> None:
    purge.purge()
