"""Where passkeys can work (WebAuthn level 3, section 5.1.2: the RP ID is a domain)."""

import ipaddress
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _


def refusal(host: str, *, secure: bool) -> str:
    """Why passkeys cannot be used at this host, in words; "" when they can."""
    name = host.rsplit(":", 1)[0].strip("[]") if not host.endswith("]") else host.strip("[]")
    if _is_address(name):
        return _(
            "Passkeys belong to a site's name, and you opened this site by its network address."
            " Open it by its name to use one."
        )
    if not secure and name != "localhost":
        return _("Passkeys need a secure connection: open this site with https.")
    return ""


def of_request(request: HttpRequest) -> dict[str, str]:
    """Context processor: ``passkey_refusal``, for pages that offer passkeys."""
    return {"passkey_refusal": refusal(request.get_host(), secure=request.is_secure())}


def at_a_name(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Answers with the reason instead of a ceremony that the browser would break off."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if of_request(request)["passkey_refusal"]:
            return render(request, "mfa/webauthn/unavailable.html", status=400)
        return view(request, *args, **kwargs)

    return guarded


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
