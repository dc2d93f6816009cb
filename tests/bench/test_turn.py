"""What of deploy/turnserver.conf the trial with a real coturn changes, and what it keeps."""

import pytest

from bench.coturn import CONFIGURATION, Coturn
from tests.servers import ROOT


@pytest.fixture
def coturn(tmp_path):
    return Coturn(["127.0.0.1", "::1"], tmp_path)


def settings_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_every_rule_of_the_installation_is_tried(coturn):
    deployed = settings_of(CONFIGURATION.read_text())
    tried = settings_of(coturn.configuration(CONFIGURATION.read_text()))
    changed = {line.partition("=")[0] for line in set(deployed) - set(tried)}

    assert changed == {
        *("static-auth-secret", "listening-port", "tls-listening-port"),
        *("cert", "pkey", "allowed-peer-ip"),
    }
    assert {line.partition("=")[0] for line in tried[len(deployed) :]} == {
        "listening-ip",
        "relay-ip",
    }


def test_a_rule_that_is_not_there_is_not_made_up(coturn):
    deployed = CONFIGURATION.read_text().replace("allowed-peer-ip", "denied-peer-ip")

    with pytest.raises(RuntimeError, match="allowed-peer-ip"):
        coturn.configuration(deployed)


def test_addresses_are_those_of_the_installation_but_for_host_and_port(coturn):
    told = coturn.environment((ROOT / "deploy" / "telemed.env").read_text())

    assert told == {
        "STUN_URLS": f"stun:127.0.0.1:{coturn.port}",
        "TURN_URLS": f"turn:127.0.0.1:{coturn.port}?transport=udp,"
        f"turns:127.0.0.1:{coturn.tls_port}?transport=tcp",
        "TURN_SECRET": coturn.secret,
    }
