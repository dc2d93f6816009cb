"""Trouble that passes by itself costs seconds, never the visit and never a tap."""

from collections.abc import Callable

import pytest
from playwright.sync_api import WebSocketRoute

from tests.browser.visit import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("patience")]

CAN_BE_IN = "#visit[data-part=waiting]"


def unavailable(socket: WebSocketRoute) -> None:
    """What a media process says that does not reach its database."""
    socket.on_message(lambda _hello: socket.close(code=4001, reason="unavailable"))


def hanging(socket: WebSocketRoute) -> None:
    """A process that has stopped takes the connection and says nothing."""


@pytest.mark.parametrize("troubles", [[unavailable] * 4, [hanging]])
def test_a_socket_that_is_not_welcomed_is_tried_again(
    someone, visit, troubles: list[Callable[[WebSocketRoute], None]]
):
    patient = someone("amina", **PHONE)
    coming = iter(troubles)

    def opened(socket: WebSocketRoute) -> None:
        trouble = next(coming, None)
        if trouble is None:
            socket.connect_to_server()
        else:
            trouble(socket)

    patient.page.route_web_socket("**/media/*/room", opened)

    patient.go_in(visit.path)

    patient.page.locator(CAN_BE_IN).wait_for()
    assert not list(coming)
