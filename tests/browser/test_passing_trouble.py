"""Trouble that passes by itself costs seconds, never the visit and never a tap."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import WebSocketRoute

from tests.browser.visit import PHONE, meet

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


@pytest.mark.parametrize("code", ["too_fast", "full"])
def test_an_offer_that_is_refused_for_the_moment_is_made_again(someone, visit, code: str):
    patient, specialist = someone("amina", **PHONE), someone("dr.salma")
    refused: list[Any] = []

    def opened(socket: WebSocketRoute) -> None:
        room = socket.connect_to_server()

        def pass_on(raw: str | bytes) -> None:
            said = json.loads(raw)
            if said["type"] == "offer" and not refused:
                refused.append(said["id"])
                answer = {"type": "refused", "re": said["id"], "code": code, "message": ""}
                socket.send(json.dumps(answer))
            else:
                room.send(raw)

        socket.on_message(pass_on)

    patient.page.route_web_socket("**/media/*/room", opened)
    meet(patient, specialist, visit.path)
    assert refused


STEADY_MS = 5000
# As a telephone call leaves them.
TAKE_DEVICES = """() => {
  for (const connection of connections) {
    for (const { track } of connection.getSenders()) {
      if (track?.readyState !== "live") continue;
      track.stop();
      track.dispatchEvent(new Event("ended"));
    }
  }
}"""
OPEN_AGAIN = """() => connections.at(-1).getSenders()
  .filter(({ track }) => track?.readyState === "live").length >= 2"""


def test_a_camera_and_microphone_that_were_taken_away_are_opened_again(together):
    patient, specialist = together
    patient.page.wait_for_timeout(STEADY_MS)  # before that a device is taken for a broken one
    patient.page.evaluate(TAKE_DEVICES)

    patient.page.wait_for_function(OPEN_AGAIN)
    specialist.sees()
    specialist.hears()
