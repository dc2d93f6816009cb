"""The second story: a patient without login beside a nurse in a health centre, another specialist
than was booked, an interpreter by link, and the coordinator who watches."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page

from tests.browser.visit import (
    DESK,
    PHONE,
    Guest,
    as_pdf,
    be_there,
    cut_and_come_back,
    finish,
    write,
    write_summary,
)

pytestmark = pytest.mark.browser

TABLET = {"viewport": {"width": 820, "height": 1180}, "locale": "fr"}
ACCOUNTS = {"Salma": "dr.salma", "Youssef": "dr.youssef"}


@pytest.fixture
def person(new_person: Callable[..., Page], product) -> Callable[..., Guest]:
    def make(**options) -> Guest:
        return Guest(new_person(**options), product.url)

    return make


def register(nurse: Guest, given: str = "Itto", born: str = "") -> str:
    """A name is enough; the patient's id."""
    page = nurse.page
    page.goto(f"{nurse.url}/patients/register/")
    page.fill("input[name=given]", given)
    page.fill("input[name=family]", "Aït Hadidou")
    page.check("input[name=spoken_languages][value=tzm]")
    page.fill("input[name=birth_date]", born)
    page.locator("form.form .actions button").first.click()
    page.wait_for_url(lambda address: "/register/" not in address)
    return page.url.rstrip("/").split("/")[-1]


def book_here(nurse: Guest, patient: str) -> tuple[str, datetime]:
    """The soonest cardiology at this centre: the appointment's id, and when it begins."""
    page = nurse.page
    page.goto(f"{nurse.url}/book/with/cardiology/?patient={patient}")
    here = page.get_by_role("group").filter(has_text="Imilchil")
    soonest = here.locator(".slot").first
    starts = datetime.fromisoformat(soonest.get_attribute("value") or "")
    soonest.click()
    page.wait_for_url("**/hold/**")
    page.locator("form#intake button.primary").click()
    page.wait_for_url("**/appointments/**")
    return page.url.split("/appointments/")[1].split("/")[0], starts


def reassign(coordinator: Guest, appointment: str) -> str:
    """To whoever else is free; the account of that specialist."""
    page = coordinator.page
    page.goto(f"{coordinator.url}/appointments/{appointment}/reassign/")
    choice = page.locator("button[name=specialist]").first
    told = choice.inner_text()
    choice.click()
    page.wait_for_url(lambda address: "/reassign/" not in address)
    return next(account for name, account in ACCOUNTS.items() if name in told)


def invite(coordinator: Guest, appointment: str) -> tuple[str, str]:
    """The interpreter's address and code, which travel apart."""
    page = coordinator.page
    page.goto(f"{coordinator.url}/appointments/{appointment}/invite/")
    page.check("input[name=kind][value=interpreter]")
    page.fill("input[name=name]", "Hennou")
    page.locator("form.form .actions button").click()
    address = page.locator("[data-link]").inner_text().strip()
    return address, page.locator("[data-link-code]").inner_text().strip()


def test_beside_a_nurse_with_an_interpreter(product, product_clock, person):
    nurse, coordinator = person(**TABLET).sign_in("brahim"), person(**DESK).sign_in("karim")
    appointment, starts = book_here(nurse, register(nurse))
    account = reassign(coordinator, appointment)
    address, code = invite(coordinator, appointment)

    be_there(product_clock, starts, before=timedelta(minutes=5))
    nurse.sign_in("brahim").go_in(f"/visit/{appointment}/")
    nurse.agree()
    specialist = person(**DESK).sign_in(account)
    specialist.go_in(f"/visit/{appointment}/")

    interpreter = person(**PHONE)
    path = "/v/" + address.split("/v/")[1]
    interpreter.page.goto(interpreter.url + path)
    interpreter.page.fill("input[name=code]", code)
    interpreter.page.press("input[name=code]", "Enter")
    interpreter.page.locator("[data-action=open]").first.wait_for()
    interpreter.go_in()
    interpreter.agree()

    waiting = specialist.page.locator("[data-waiting-list] li")
    waiting.nth(1).wait_for()
    specialist.admit()
    waiting.nth(1).wait_for(state="detached")
    specialist.admit()
    for one in (nurse, specialist, interpreter):
        one.sees()
        one.hears()
        one.hears_well()

    specialist.page.click("#side [data-panel=people] >> visible=true")
    people = specialist.page.locator("[data-people] li.row")
    for name in ("Brahim", "Itto", "Hennou"):
        people.filter(has_text=name).first.wait_for()

    page = coordinator.sign_in("karim").page
    page.goto(f"{coordinator.url}/")
    page.get_by_text("Itto").first.wait_for()
    assert coordinator.page.goto(f"{coordinator.url}/visit/{appointment}/").status == 403

    write(nurse, "Tension 14/9")
    specialist.page.click("#side [data-panel=chat] >> visible=true")
    interpreter.page.click(".room-bar [data-panel=chat]")
    for one in (specialist, interpreter):
        one.reads("Tension 14/9")
    nurse.page.reload()
    for one in (nurse, specialist, interpreter):
        one.sees()
    cut_and_come_back(nurse, specialist)

    finish(specialist)
    for one in (nurse, interpreter):
        one.page.locator("#ended").wait_for()
    write_summary(specialist.page, "Tension à revoir dans un mois.")
    nurse.page.goto(f"{specialist.page.url}summary/")
    nurse.reads("Tension à revoir")
    as_pdf(nurse.page)
    assert interpreter.page.goto(interpreter.url + path).status == 404


def test_a_mother_speaks_for_her_child_and_is_named(product, product_clock, person):
    nurse = person(**TABLET).sign_in("brahim")
    appointment, starts = book_here(nurse, register(nurse, "Tuda", born="2021-03-08"))
    be_there(product_clock, starts, before=timedelta(minutes=5))
    nurse.sign_in("brahim").go_in(f"/visit/{appointment}/")
    child = nurse.page.locator("#consents .card").filter(has_text="Tuda")
    child.locator("[data-decide=spoken]").click()

    asked = nurse.page.locator("[data-speaker-form]")
    asked.locator("[name=name]").fill("Fadma")
    asked.locator("[name=capacity]").focus()
    own = nurse.page.locator("#consents .card").filter(has_text="Brahim")
    own.locator("[data-decide=given]").dispatch_event("click")
    own.wait_for(state="detached")
    # The room was drawn anew, and took neither the words nor the keyboard's focus.
    nurse.page.keyboard.type("mère")
    asked.locator("button").click()
    child.wait_for(state="detached")
