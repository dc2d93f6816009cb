"""Error pages: what happened in plain words, and a number to give to the help desk.

The page of an unexpected error asks neither database nor session: they may be its cause.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from telemed.lib import request_id


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", _reference(), status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", _reference(), status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", _reference(), status=404)


def failed(request: HttpRequest) -> HttpResponse:
    return HttpResponse(render_to_string("500.html", _reference()), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", _reference(), status=403)


def _reference() -> dict[str, str]:
    return {"reference": request_id.reference(request_id.current())}
