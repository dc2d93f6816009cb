from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from telemed.lib import clock


@pytest.fixture
def movable_clock(settings, tmp_path) -> Iterator[Callable[[timedelta], None]]:
    """Moves this test's clock on, and nobody else's."""
    settings.CLOCK_OFFSET_FILE = tmp_path / "offset"
    yield clock.move
    clock.reset()
