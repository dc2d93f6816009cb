"""What is sent beside the truth holds nobody up."""

import socket
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from consultations import groups
from telemed.lib.channel_layer import PatientChannelLayer


class Hanging:
    """A Redis that takes connections and never answers."""

    def __init__(self) -> None:
        self.taken: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = "redis://{}:{}/0".format(*self._listening.getsockname())
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                self.taken.append(self._listening.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._listening.close()
        for one in self.taken:
            one.close()


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    redis = Hanging()
    yield redis
    redis.close()


def test_a_redis_that_hangs_holds_up_one_change_and_not_the_next(hanging, monkeypatch) -> None:
    layer = PatientChannelLayer(hosts=[{"address": hanging.address, "socket_timeout": 15}])
    monkeypatch.setattr(groups, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(groups, "_quiet_until", float("-inf"))
    given_up = []
    wait = groups.within_reason

    async def waited(work) -> None:
        try:
            await wait(work)
        except TimeoutError:
            given_up.append(work)
            raise

    monkeypatch.setattr(groups, "within_reason", waited)

    groups.hint_room(uuid4())
    assert len(given_up) == 1
    tried = len(hanging.taken)
    groups.hint_room(uuid4())
    assert (len(given_up), len(hanging.taken)) == (1, tried)
