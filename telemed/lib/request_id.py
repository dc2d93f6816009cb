"""Each request has an id: in its logs, its audit events, its answer and its error page."""

import logging
import time
import uuid
from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

from telemed.lib import context

logger = logging.getLogger("telemed.request")
HEADER = "X-Request-ID"
UNLOGGED = {"/healthz", "/readyz"}  # asked every few seconds by machines

GetResponse = Callable[[HttpRequest], HttpResponse]


def current() -> str:
    """The running request's, message's or task's id; "" outside of any."""
    return context.request_id.get()


def reference(request_id: str) -> str:
    """What a person reads to the help desk: the first eight characters, in two groups."""
    return f"{request_id[:4]}-{request_id[4:8]}".upper()


class RequestId:
    """Gives the id, answers with it, and logs one line: method, route, status, milliseconds.

    The route is the URL pattern; the path itself may hold a personal link. An id that the client
    sends is not taken over: it could be somebody else's.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = str(uuid.uuid4())
        begun = time.perf_counter()
        with context.about(request=request_id):
            response = self.get_response(request)
            response.headers[HEADER] = request_id
            if request.path not in UNLOGGED:
                spent = (time.perf_counter() - begun) * 1000
                match = request.resolver_match
                route = match.route if match else "(no route)"
                logger.info("%s /%s %s %.0f ms", request.method, route, response.status_code, spent)
        return response


class PersonId:
    """Names the signed-in person in what is logged below; stands after the sessions."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with context.about(person=str(request.session.get(SESSION_KEY, ""))):
            return self.get_response(request)
