"""What every page tells the browser: no foreign code, no framing, no storing, no leaking."""

import pytest
from django.urls import reverse

from tests.test_authorisation_matrix import OPEN, ROWS, World, arguments, enter, patterns, world

__all__ = ["world"]

OPEN_PAGES = [
    name
    for name, methods in OPEN.items()
    if "GET" in methods and not patterns()[name] and name not in {"healthz", "readyz"}
]


def policy(answer) -> dict[str, list[str]]:
    parts = answer.headers["Content-Security-Policy"].split(";")
    return {name: values for name, *values in (part.split() for part in parts)}


def check(answer) -> None:
    rules = policy(answer)
    assert rules["default-src"] == ["'none'"]
    assert rules["frame-ancestors"] == ["'none'"]
    assert rules["base-uri"] == ["'none'"]
    assert rules["form-action"] == ["'self'"]
    told = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in told
    assert "http:" not in told
    assert "*" not in told
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=(self)" in answer["Permissions-Policy"]
    assert "geolocation=()" in answer["Permissions-Policy"]


@pytest.mark.parametrize(("method", "name"), [row for row in ROWS if row[0] == "GET"])
def test_pages_of_people(world: World, method, name):
    """Each page as somebody who may open it, and as its refusal."""
    for column, cell in ROWS[method, name].items():
        client = enter(world, name, column)
        kwargs = arguments(world, name, column, own=True)
        answer = client.get(reverse(name, kwargs=kwargs))
        check(answer)
        if column != "nobody" or "yes" in cell:
            assert "no-store" in answer["Cache-Control"]
            assert "public" not in answer["Cache-Control"]


@pytest.mark.parametrize("name", OPEN_PAGES)
def test_pages_of_accounts(world: World, name):
    check(enter(world, name, "nobody").get(reverse(name)))
    answer = enter(world, name, "specialist").get(reverse(name))
    check(answer)
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("name", OPEN_PAGES)
def test_no_page_of_accounts_holds_code_or_style_in_line(world: World, name):
    """The policy would only break such a page in front of somebody."""
    for column in ("nobody", "specialist"):
        text = enter(world, name, column).get(reverse(name)).text
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        for script in text.split("<script")[1:]:
            opening = script.partition(">")[0]
            assert any(part in opening for part in ("src=", "nonce=", "application/json"))


def test_cookies_are_kept_from_scripts_and_other_sites(client, cast):
    client.force_login(cast.brahim)
    answer = client.get("/accounts/login/")
    client.get("/patients/")
    for cookie in client.cookies.values():
        assert cookie["samesite"] == "Lax"
    assert client.cookies["sessionid"]["httponly"]
    assert answer.status_code in (200, 302)
