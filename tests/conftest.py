import pytest
from django.test import TransactionTestCase

from telemed.audit import triggers
from tests.cast import Cast


@pytest.fixture
def cast(db) -> Cast:
    """The named people; each is made when first asked for."""
    return Cast()


@pytest.fixture(autouse=True, scope="session")
def _flush_may_empty_the_audit():
    """The flush after a transactional test is the one thing that may take the triggers away;
    the ``post_migrate`` that it sends puts them back."""
    teardown = TransactionTestCase._fixture_teardown

    def with_triggers_removed(self):
        triggers.remove()
        teardown(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", with_triggers_removed)
        yield
