"""Signing in, booking and cancelling in a browser that runs no script."""

import pytest

from tests.browser.test_pages import keep_a_time, sign_in

pytestmark = pytest.mark.browser


def test_a_visit_is_booked_and_cancelled_without_javascript(product, new_person):
    page = new_person(locale="fr-MA", java_script_enabled=False)
    sign_in(page, product.url, "amina")
    page.goto(f"{product.url}/book/")
    page.click("a[href*='/book/with/cardiology/']")
    assert page.locator("article.card").count() > 0
    keep_a_time(page, product.url)
    page.fill("textarea >> nth=0", "Contrôle")
    page.click("form#intake button.primary")
    page.wait_for_url("**/appointments/**")
    appointment = page.url.partition("?")[0]
    assert page.get_by_text("Contrôle").count() == 1

    page.click("a[href$='/cancel/']")
    page.fill("textarea[name=reason]", "Je vais mieux")
    page.click("main form button.danger")
    page.wait_for_url(appointment)
    assert page.get_by_text("Je vais mieux").count() == 1
    assert page.locator("a[href$='/cancel/']").count() == 0
