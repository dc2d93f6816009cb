"""A visit is recorded in browsers: asked, agreed to, shown to all, taken back, and played."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.visit import Guest
from tests.browser.visits import Visit, book

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("patience")]

MADE_MS = 100_000  # the worker looks every minute
ENABLE = """
from scheduling.models import Appointment
from tests import make
make.records(Appointment.objects.get(pk="{visit}").organisation)
"""
DISABLE = """
from telemed.accounts.models import Organisation
Organisation.objects.update(recording_enabled=False)
"""
PLAYED = "video => video.readyState >= 2 && video.currentTime > 0.5 && video.videoWidth > 0"


@pytest.fixture
def visit(product) -> Iterator[Visit]:
    made = book(product)
    product.manage("shell", "--verbosity", "0", "-c", ENABLE.format(visit=made.id))
    yield made
    product.manage("shell", "--verbosity", "0", "-c", DISABLE)


@pytest.fixture
def together(together) -> tuple[Guest, Guest]:
    """Begun: the specialist has said who the patient is."""
    together[1].identify()
    return together


def sign(guest: Guest) -> Locator:
    return guest.page.locator("[data-recording-sign]")


def record(patient: Guest, specialist: Guest) -> None:
    specialist.page.click("[data-record=ask]")
    for one in (specialist, patient):
        one.page.locator("#recording-ask [data-choose=given]").click()
        expect(one.page.locator("#recording-ask")).to_be_hidden()
    specialist.page.click("[data-record=start]")
    for one in (patient, specialist):
        expect(sign(one)).to_be_visible()


def test_everybody_is_asked_sees_the_sign_and_the_film_is_played(together, visit):
    patient, specialist = together
    expect(sign(patient)).to_be_hidden()
    record(patient, specialist)
    patient.sees(30)
    specialist.page.click("[data-record=stop]")
    expect(sign(patient)).to_be_hidden()
    specialist.page.click("[data-opens=finish]")
    specialist.page.click("[data-finish=video]")
    expect(patient.page.locator("#ended")).to_be_visible()

    page = specialist.page
    page.goto(f"{specialist.url}{visit.path}recordings/")
    films = page.locator("[data-recording] video")
    for _ in range(MADE_MS // 2_000):
        if films.count():
            break
        page.wait_for_timeout(2_000)
        page.reload()
    expect(films).to_have_count(2)
    page.click("[data-together]")
    for number in range(2):
        page.wait_for_function(PLAYED, arg=films.nth(number).element_handle())
    patient.page.goto(f"{patient.url}{visit.path}recordings/")
    expect(patient.page.locator("[data-recording]")).to_have_count(1)
    expect(patient.page.locator("[data-recording] video")).to_have_count(0)


def test_whoever_takes_it_back_ends_it_for_all_and_has_it_deleted(together):
    patient, specialist = together
    record(patient, specialist)

    patient.page.click("[data-panel=more]")
    patient.page.click("[data-recording-back]")
    patient.page.click("#recording-back [data-choose=delete]")

    for one in (patient, specialist):
        expect(sign(one)).to_be_hidden()
    expect(specialist.page.locator("[data-record=start]")).to_be_hidden()
    expect(specialist.page.locator("[data-record=ask]")).to_be_visible()
