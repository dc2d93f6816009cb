"""What DATABASE_URL becomes: a PostgreSQL that does not answer is given up within seconds."""

import asyncio
import socket

import psycopg
import pytest

from telemed.lib.database_url import database


async def test_a_server_that_says_nothing_is_given_up() -> None:
    """It takes the connection, and is then silent, as behind a link that is cut."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        entry = database(f"postgresql://telemed@{host}:{port}/telemed")
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            async with asyncio.timeout(8):
                await psycopg.AsyncConnection.connect(
                    host=host, port=port, user=entry["USER"], **entry["OPTIONS"]
                )


def test_the_address_may_say_how_long() -> None:
    options = database("postgresql://telemed@db/telemed?connect_timeout=9")["OPTIONS"]
    assert options["connect_timeout"] == "9"
    assert options["tcp_user_timeout"] == "3000"
