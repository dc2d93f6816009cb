"""Error pages: what happened in plain words, and a number to give to the help desk.

The pages of a bad request and of an unexpected error ask neither database nor session nor the
request: one of them may be the cause.
"""

import logging
from collections.abc import Callable

import redis
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from telemed.lib import request_id

logger = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(render_to_string("400.html", _reference()), status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", _reference(), status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", _reference(), status=404)


def failed(request: HttpRequest) -> HttpResponse:
    return HttpResponse(render_to_string("500.html", _reference()), status=500)


class LostCache:
    """Middleware: without the cache no rate limit holds, so whatever needs one is refused."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, redis.ConnectionError | redis.TimeoutError):
            return None
        logger.error("the cache cannot be reached", exc_info=error)
        text = render_to_string("503.html", _reference())
        return HttpResponse(text, status=503, headers={"Retry-After": "30"})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", _reference(), status=403)


def _reference() -> dict[str, str]:
    return {"reference": request_id.reference(request_id.current())}
