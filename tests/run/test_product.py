"""The run command, whole."""

import json
import ssl

import httpx
import pytest
import websockets
from playwright.sync_api import Page
from websockets import Origin

from telemed.run.addresses import network_addresses
from tests.servers import Product


def test_every_part_is_ready(product: Product) -> None:
    answer = httpx.get(f"{product.url}/readyz")
    assert answer.status_code == 200
    assert set(json.loads(answer.text).values()) == {"ok"}


def test_localhost_and_the_network_address_are_the_same_door(product: Product) -> None:
    certificate = ssl.create_default_context(cafile=product.var / "certificate.pem")
    # A machine without a network has at least the door of its own address.
    for address in ["127.0.0.1", *network_addresses()]:
        secure = httpx.get(f"https://{address}:{product.port}/healthz", verify=certificate)
        assert secure.text == "ok"
    assert httpx.get(f"{product.url}/healthz").text == "ok"


def test_forms_are_taken_at_every_address(product: Product) -> None:
    """The front tells the scheme and host that the browser asked for; the form check needs both."""
    others = ["127.0.0.1", *network_addresses()]
    for address in [product.url, *(f"https://{ip}:{product.port}" for ip in others)]:
        with httpx.Client(base_url=address, verify=False) as client:
            client.get("/accounts/login/")
            answer = client.post(
                "/accounts/login/",
                data={"login": "nobody@demo.example", "password": "x"},
                headers={"X-CSRFToken": client.cookies["csrftoken"], "Origin": address},
            )
            assert answer.status_code == 200


async def test_a_message_that_is_too_long_is_never_made_whole(product: Product) -> None:
    """A kilobyte on the wire, a megabyte inflated: nobody needs a ticket to send that."""
    address = product.url.replace("http", "ws") + "/media/m1/room"
    async with websockets.connect(address, origin=Origin(product.url)) as client:
        await client.send(json.dumps({"type": "x" * (1 << 20)}))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await client.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


@pytest.mark.browser
def test_a_browser_is_given_the_sign_in_page(product: Product, new_person) -> None:
    page: Page = new_person(locale="fr-FR")
    page.goto(f"{product.url}/accounts/login/")
    assert page.locator("h1").count() == 1
