"""The components of the pages. Each is shown in all its states at /styleguide/ in development.

One way only: a tag here with its markup in ``templates/components/``. Tags with a body are block
tags (``{% card %}…{% endcard %}``); what is only arrangement (stack, rows, tiles, slots) is a class
in components.css. Keyword arguments that a component does not know become attributes of its
element, with underscores turned to hyphens (``hx_get=…`` → ``hx-get``).
"""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from django import template
from django.forms import BaseForm
from django.forms.utils import flatatt
from django.template.loader import get_template, render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from heroicons.templatetags.heroicons import heroicon_outline

from telemed.lib import browsers, formats, states

register = template.Library()

# What points along the reading direction turns with it; a clock or a telephone does not.
_TURNS = ("arrow-left", "arrow-right", "arrow-uturn", "chevron-left", "chevron-right", "paper-air")
_NOTICE_ICONS = {
    "plain": "information-circle",
    "now": "clock",
    "ok": "check-circle",
    "warn": "exclamation-triangle",
    "danger": "exclamation-circle",
}


def _attributes(extra: dict[str, Any]) -> SafeString:
    return flatatt({name.rstrip("_").replace("_", "-"): value for name, value in extra.items()})


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, extra_class: str = "") -> SafeString:
    """A line icon of the text's size and colour. Always beside a word, so hidden from readers."""
    turns = " turns" if name.startswith(_TURNS) else ""
    classes = f"icon{turns} {extra_class}".strip()
    attributes = {"class": classes, "aria_hidden": "true", "focusable": "false"}
    return mark_safe(heroicon_outline(name, size=24, **attributes))  # noqa: S308 our own constants


@register.simple_tag
@lru_cache(maxsize=64)
def pictogram(name: str, size: str = "") -> SafeString:
    """A drawing of our own (``templates/pictograms/``) for places, specialities and steps."""
    paths = render_to_string(f"pictograms/{name}.svg").strip()
    return format_html(
        '<svg class="pictogram {}" viewBox="0 0 48 48" width="40" height="40" fill="none"'
        ' stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
        ' aria-hidden="true" focusable="false">{}</svg>',
        size,
        mark_safe(paths),  # noqa: S308 our own file
    )


@register.inclusion_tag("components/button.html")
def button(
    text: str,
    *,
    href: str = "",
    kind: str = "primary",
    icon: str = "",
    size: str = "",
    type: str = "submit",
    **extra: Any,
) -> dict[str, Any]:
    """``kind``: primary (one a page), secondary, quiet, danger, now. ``size``: large, wide."""
    return {
        "text": text,
        "href": href,
        "icon": icon,
        "type": type,
        "classes": " ".join(filter(None, ("button", kind, size))),
        "attributes": _attributes(extra),
    }


@register.inclusion_tag("components/state.html")
def state(subject: str, code: str) -> dict[str, Any]:
    """``subject``: appointment, consultation, room, participant, message, note, consent,
    recording."""
    return {"shown": states.shown(subject, code)}


@register.inclusion_tag("components/state.html")
def tag(word: str, icon: str = "information-circle", tone: str = "plain") -> dict[str, Any]:
    """A state that stands in no table."""
    return {"shown": states.Shown(word, icon, tone)}


@register.inclusion_tag("components/time_block.html")
def time_block(
    start: datetime,
    zone: formats.Zone,
    place: str = "",
    place_name: str = "",
    place_detail: str = "",
    tone: str = "",
) -> dict[str, Any]:
    """Day and hour, big, with the place where the patient will sit.

    ``place``: home, facility, mobile_unit. ``tone``: past, or void (cancelled, moved).
    """
    wall = formats.local(start, zone)
    return {
        "iso": wall.isoformat(timespec="minutes"),
        "iso_day": wall.date().isoformat(),
        "day": formats.day_and_month(wall.date()),
        "hour": formats.hour(start, zone),
        "zone": formats.zone_in_words(start, zone),
        "place": states.PLACES[place] if place else None,
        "place_name": place_name,
        "place_detail": place_detail,
        "tone": tone,
    }


@register.inclusion_tag("components/person.html")
def person(name: str, facts: str = "", *, size: str = "", level: int = 0) -> dict[str, Any]:
    """``facts``: one line below the name. ``level``: 2 to 4 makes the name a heading."""
    words = [word for word in name.split() if word.strip(".").lower() not in {"dr", "pr", "د", "م"}]
    letters = [word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)]
    return {
        "name": name,
        "facts": facts,
        # Arabic letters would join or be read as a word; one alone says enough.
        "letters": letters[0] if letters and letters[0] > "\u0590" else "".join(letters),
        "size": size,
        "level": level,
    }


@register.inclusion_tag("components/steps.html")
def steps(current: int, *words: str) -> dict[str, Any]:
    """Where one is in a short way: ``{% steps 2 first second third %}``, counted from one."""
    return {"words": words, "current": current, "total": len(words)}


@register.inclusion_tag("components/error_summary.html")
def error_summary(form: BaseForm) -> dict[str, Any]:
    """What is wrong, on top, each line leading to its field. Nothing when nothing is."""
    return {"form": form}


@register.simple_block_tag
def card(content: str, *, tone: str = "", element: str = "section", **extra: Any) -> str:
    """``tone``: now (saffron), quiet."""
    return format_html(
        '<{0} class="card {1}"{2}>{3}</{0}>', element, tone, _attributes(extra), content
    )


@register.simple_block_tag
def notice(content: str, title: str = "", *, tone: str = "plain", icon: str = "") -> str:
    """``tone``: plain, now, ok, warn, danger."""
    context = {
        "title": title,
        "tone": tone,
        "icon": icon or _NOTICE_ICONS[tone],
        "content": content,
    }
    return get_template("components/notice.html").render(context)


@register.simple_block_tag
def empty(content: str, title: str, *, picture: str = "") -> str:
    """Nothing here yet: says so, and the body tells the next step. ``picture``: a pictogram."""
    context = {"title": title, "picture": picture, "content": content}
    return get_template("components/empty.html").render(context)


@register.simple_block_tag
def dialog(content: str, id: str, title: str, *, sheet: bool = False) -> str:
    """Opened by ``<button data-opens="id">`` (look.js). ``sheet`` slides from below on phones.

    Without JavaScript it stays shut, so the same action also needs a page of its own.
    """
    context = {"id": id, "title": title, "sheet": sheet, "content": content}
    return get_template("components/dialog.html").render(context)


@register.simple_tag
def when(start: datetime, zone: formats.Zone, style: str = "full") -> str:
    """Inline time. ``style``: full (day, hour, zone), short (mar. 24 nov. 14:30), hour, day."""
    wall = formats.local(start, zone)
    words = {
        "full": lambda: formats.in_words(start, zone),
        "short": lambda: f"{formats.short_day(wall.date())} {_isolated_hour(start, zone)}",
        "hour": lambda: _isolated_hour(start, zone),
        "day": lambda: formats.day_and_month(wall.date()),
    }[style]()
    return format_html('<time datetime="{}">{}</time>', wall.isoformat(timespec="minutes"), words)


def _isolated_hour(start: datetime, zone: formats.Zone) -> str:
    told = formats.hour(start, zone)
    return formats.isolated(told) if formats.is_mirrored() else told


@register.filter
def long_day(value: date) -> str:
    return formats.long_day(value)


@register.filter
def plain_day(value: date) -> str:
    return formats.plain_day(value)


@register.filter
def short_day(value: date) -> str:
    return formats.short_day(value)


@register.filter
def weekday(value: date) -> str:
    return formats.weekday(value)


@register.filter
def month(value: date) -> str:
    return formats.month(value)


@register.filter
def duration(value: timedelta) -> str:
    return formats.duration(value)


@register.filter
def ltr(value: object) -> str:
    """Phone numbers, codes, identifiers: left to right in every language."""
    return format_html('<bdi class="ltr" dir="ltr">{}</bdi>', value)


@register.filter
def browser_name(user_agent: str) -> str:
    return browsers.name_of(user_agent)
