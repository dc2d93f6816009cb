"""A taken time answered with the times that are free: the page people were on, with status 409."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from scheduling.refusals import Refused
from telemed.accounts.doors import CONFLICT
from telemed.audit import actions as audit
from telemed.audit.actor import Actor

WITH_ALTERNATIVES = frozenset({"slot_taken", "not_offered"})


def with_alternatives(
    request: HttpRequest,
    refused: Refused,
    template: str,
    context: dict[str, Any],
    actor: Actor,
    action: str,
    subject: tuple[str, Any],
) -> HttpResponse:
    """The page ``template`` with ``refused`` in it; programs read the two headers.

    ``Telemed-Refused`` is the code, ``Telemed-Alternatives`` the free starts in ISO 8601. Any
    other refusal goes on to the door.
    """
    if refused.code not in WITH_ALTERNATIVES:
        raise refused
    audit.refused(action, actor, refused.code, subject=subject, purpose="booking")
    response = render(
        request,
        template,
        {**context, "refused": refused, "alternatives": refused.facts["alternatives"]},
        status=CONFLICT,
    )
    response["Telemed-Refused"] = refused.code
    response["Telemed-Alternatives"] = ",".join(
        start.isoformat() for start in refused.facts["alternatives"]
    )
    return response
