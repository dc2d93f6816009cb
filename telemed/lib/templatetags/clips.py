from collections.abc import Iterable
from typing import Any

from django import template
from django.templatetags.static import static

from telemed.lib import clips

register = template.Library()


@register.inclusion_tag("components/listen.html")
def listen(clip: str, languages: Iterable[str] = ()) -> dict[str, Any]:
    """A "Listen" button in the first spoken language that has the clip; nothing without one."""
    if clip not in clips.CLIPS:
        raise template.TemplateSyntaxError(f"no clip is called {clip!r}")
    path = clips.find(clip, languages)
    return {"source": static(path) if path else None}
