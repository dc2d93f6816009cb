"""People in a visit, for the browser tests of the room."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visit import BACK_MS, DESK, PHONE, Guest, meet
from tests.browser.visits import Visit, book


@pytest.fixture(scope="module")
def patience() -> Iterator[None]:
    """A page is given as long as a lost link."""
    expect.set_options(timeout=BACK_MS)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def someone(new_person: Callable[..., Page], product) -> Callable[..., Guest]:
    """``someone("amina", **options)``: signed in, on a desk unless told otherwise."""

    def come(who: str = "", **options) -> Guest:
        guest = Guest(new_person(**(options or DESK)), product.url)
        return guest.sign_in(who) if who else guest

    return come


@pytest.fixture
def visit(product) -> Visit:
    return book(product)


@pytest.fixture
def together(someone, visit) -> tuple[Guest, Guest]:
    """Amina on her phone and Dr Salma at her desk, in the call."""
    patient, specialist = someone("amina", **PHONE), someone("dr.salma")
    meet(patient, specialist, visit.path)
    return patient, specialist
