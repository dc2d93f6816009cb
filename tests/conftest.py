import pytest

from tests.cast import Cast


@pytest.fixture
def cast(db) -> Cast:
    """The named people; each is made when first asked for."""
    return Cast()
