from datetime import UTC, datetime

import pytest

from consultations.ice_servers import ice_servers

NOW = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


@pytest.fixture
def turn(settings):
    settings.STUN_URLS = ["stun:turn.example:3478"]
    settings.TURN_URLS = ["turn:turn.example:3478", "turns:turn.example:443?transport=tcp"]
    settings.TURN_SECRET = "north"


def test_without_configuration_nobody_is_asked(settings):
    settings.STUN_URLS, settings.TURN_URLS = [], []

    assert ice_servers("p1", NOW) == []


def test_turn_credentials_are_what_coturn_computes(turn):
    stun, relay = ice_servers("p1", NOW)

    assert stun == {"urls": ["stun:turn.example:3478"]}
    assert relay["username"] == "1795552200:p1"
    # printf %s 1795552200:p1 | openssl dgst -sha1 -hmac north -binary | base64
    assert relay["credential"] == "Pfn0+eHMZO40pfS0gdYE1Tl009I="


def test_two_people_get_different_credentials(turn):
    assert ice_servers("p1", NOW)[1] != ice_servers("p2", NOW)[1]
