"""For who operates an installation: the media processes, and emptying one before it is replaced."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from consultations import processes
from telemed.accounts.access import viewer
from telemed.accounts.doors import door
from telemed.accounts.roles import May


@require_safe
@door(May.MEDIA_OPERATE)
def nodes(request: HttpRequest) -> HttpResponse:
    """The page, or for its own polling the list alone. Nothing personal stands in it."""
    template = "_nodes" if request.headers.get("HX-Request") else "nodes"
    return render(request, f"consultations/{template}.html", {"nodes": processes.nodes()})


@require_POST
@door(May.MEDIA_OPERATE)
def drain(request: HttpRequest, name: str) -> HttpResponse:
    draining = request.POST.get("draining") == "yes"
    if not processes.drain(name, draining=draining, actor=viewer(request).actor(May.MEDIA_OPERATE)):
        raise Http404
    return redirect("consultations:nodes")
