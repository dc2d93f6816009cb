"""Is this process alive, and can Telemed serve? For load balancers, and for the run command.

An app adds what it needs by ``register`` in its AppConfig.ready.
"""

import logging
from collections.abc import Callable

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
WORKER_HEARTBEAT = "health:worker"
WORKER_SILENCE = 30  # seconds without a heartbeat until the worker counts as gone


class Unready(Exception):
    """Why a part cannot serve: a few words without any detail of the installation."""


Check = Callable[[], None]
_checks: dict[str, Check] = {}


def register(name: str, check: Check) -> None:
    """``check`` raises ``Unready``, or DatabaseError or RedisError, when the part cannot serve."""
    _checks[name] = check


def readiness() -> dict[str, str]:
    """Each part's name and ``ok`` or why it is not."""
    return {name: _state(name, check) for name, check in _checks.items()}


def worker_is_alive() -> None:
    """Called in the worker, by a task that beat sends: proves beat, broker and worker at once."""
    cache.set(WORKER_HEARTBEAT, 1, WORKER_SILENCE)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every part answers, else 503; a JSON object of part and state."""
    parts = readiness()
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse(parts, status=200 if ready else 503)


def _state(name: str, check: Check) -> str:
    try:
        check()
    except Unready as why:
        return str(why)
    except (DatabaseError, RedisError, OSError):
        logger.warning("%s does not answer", name, exc_info=True)
        return "does not answer"
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _redis() -> None:
    cache.get(WORKER_HEARTBEAT)


def _worker() -> None:
    if cache.get(WORKER_HEARTBEAT) is None:
        raise Unready("no heartbeat")


register("database", _database)
register("redis", _redis)
register("worker", _worker)
