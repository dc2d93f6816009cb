"""What a browser is called, from its User-Agent; good enough to recognise one's own."""

from dataclasses import dataclass

# The first that matches wins: each claims to be those after it.
_BROWSERS = (
    ("SamsungBrowser", "Samsung Internet"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def name_of(user_agent: str) -> str:
    """``Chrome · Android``; the beginning of the text itself when nothing is known."""
    known = [
        next((name for sign, name in table if sign in user_agent), "")
        for table in (_BROWSERS, _SYSTEMS)
    ]
    return " · ".join(filter(None, known)) or user_agent[:60]


@dataclass(frozen=True)
class Kind:
    """All that is kept of a User-Agent: phone, tablet or desktop, and the browser's family; ""
    where nothing is known."""

    device: str = ""
    family: str = ""


def kind_of(user_agent: str) -> Kind:
    """A new iPad calls itself a Mac and counts as a desktop."""
    family = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    if not any(sign in user_agent for sign, _name in _SYSTEMS):
        return Kind("", family)
    if "iPad" in user_agent or "Tablet" in user_agent:
        return Kind("tablet", family)
    if "Android" in user_agent:
        return Kind("phone" if "Mobile" in user_agent else "tablet", family)
    return Kind("phone" if "iPhone" in user_agent else "desktop", family)
