"""Fixtures for every test.

Servers (session; started by the first test that needs them, on free ports):
    redis_url       address of a real Redis; every test with a database or a cache has it
    product         Telemed whole, as ``make run`` starts it, with the demo people:
                    ``product.url`` (http://localhost:PORT), ``product.port``, ``product.told``
                    (what the run command printed), ``product.log("worker")``,
                    ``product.manage("demo")``; its database is of the kind under test
    product_clock   ``telemed.lib.clock`` moved for all of the product's processes:
                    ``product_clock.move(timedelta(hours=1))``; put back after the test
    postgresql      a real PostgreSQL, also when the rest runs on SQLite: ``postgresql.url(name)``

People:
    cast            the named people, each made when first asked for (tests/cast.py)

Time in this process:
    clock           ``telemed.lib.clock`` with ``move``, put back after the test

Browsers (Playwright's synchronous API; mark such tests ``@pytest.mark.browser``):
    chromium        one Chromium with fake camera and microphone that asks for no permission
    new_person      ``new_person(locale="ar-MA", viewport={…})`` → a page of a person of their own
                    (own cookies); closed after the test
    playwright_     the driver, to launch another browser

Asynchronous tests are ``async def`` without a mark. Those that use the browser fixtures run last:
Playwright keeps an event loop running in the main thread.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.cache import cache
from django.test import TransactionTestCase
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from telemed.lib import clock as shared_clock
from tests import emptying, servers
from tests.cast import Cast

CHROMIUM_FLAGS = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# What is here judges time, or takes the whole machine for itself.
ALONE = {"bench", "browser", "run", "sfu"}
STORED = {"db", "transactional_db", "postgresql", "product"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if item.path.parent.name in ALONE or "product" in fixtures:
            item.add_marker("alone")
        if STORED & fixtures or item.get_closest_marker("django_db"):
            item.add_marker("database")
    items.sort(key=lambda item: "playwright_" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def _redis() -> Iterator[servers.Redis]:
    with servers.running(servers.redis):
        yield servers.redis


@pytest.fixture(scope="session", autouse=True)
def redis_url(_redis: servers.Redis) -> str:
    return servers.redis.url


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """No rate limit or cached answer of the test before."""
    cache.clear()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[servers.PostgreSQL]:
    with servers.running(servers.postgresql):
        yield servers.postgresql


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> None:
    if servers.on_postgresql():
        request.getfixturevalue("postgresql")


@pytest.fixture(scope="session")
def product(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Product]:
    database_url = ""
    if servers.on_postgresql():
        server: servers.PostgreSQL = request.getfixturevalue("postgresql")
        server.create("product")
        database_url = server.url("product")
    product = servers.Product(tmp_path_factory.mktemp("product"), database_url)
    with servers.running(product):
        yield product


@pytest.fixture
def clock(settings: Any, tmp_path: Path) -> ModuleType:
    settings.CLOCK_OFFSET_FILE = tmp_path / "clock-offset"
    return shared_clock


@pytest.fixture
def product_clock(product: servers.Product, settings: Any) -> Iterator[ModuleType]:
    settings.CLOCK_OFFSET_FILE = product.clock_file
    yield shared_clock
    shared_clock.reset()


@pytest.fixture(scope="session")
def playwright_() -> Iterator[Playwright]:
    # The driver's event loop would make Django refuse its ordinary database calls in tests.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as driver:
        yield driver
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def chromium(playwright_: Playwright) -> Iterator[Browser]:
    flags = [*CHROMIUM_FLAGS, "--no-sandbox"] if os.getuid() == 0 else CHROMIUM_FLAGS
    browser = playwright_.chromium.launch(executable_path=servers.chromium(), args=flags)
    yield browser
    browser.close()


@pytest.fixture
def new_person(chromium: Browser) -> Iterator[Callable[..., Page]]:
    contexts = []

    def person(**options: Any) -> Page:
        context = chromium.new_context(ignore_https_errors=True, **options)
        contexts.append(context)
        return context.new_page()

    yield person
    for context in contexts:
        context.close()


@pytest.fixture
def cast(db) -> Cast:
    """The named people; each is made when first asked for."""
    return Cast()


@pytest.fixture(autouse=True, scope="session")
def _emptied_quickly():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            TransactionTestCase, "_fixture_teardown", lambda _self: emptying.empty_every_table()
        )
        yield
