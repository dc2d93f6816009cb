"""Firefox without a driver program: WebDriver BiDi straight over its WebSocket.

https://w3c.github.io/webdriver-bidi/. Fake camera and microphone, no permission prompts.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

START_SECONDS = 60
PREFERENCES = {
    "remote.active-protocols": 1,  # BiDi only
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "media.gmp-manager.updateEnabled": False,
}


class FirefoxError(RuntimeError):
    """A BiDi command failed, or a script in the page threw."""


class Tab:
    """A top-level browsing context."""

    def __init__(self, firefox: Firefox, context: str) -> None:
        self._firefox = firefox
        self._context = context

    async def goto(self, url: str) -> None:
        """Opens an address and waits until it is loaded."""
        await self._firefox.command(
            "browsingContext.navigate", context=self._context, url=url, wait="complete"
        )

    async def reload(self) -> None:
        await self._firefox.command(
            "browsingContext.reload", context=self._context, wait="complete"
        )

    async def evaluate(self, expression: str, *arguments: object) -> Any:
        """The JSON value of an expression, or of a function called with `arguments`.

        Promises are awaited; raises FirefoxError when the script throws.
        """
        values = ", ".join(json.dumps(argument) for argument in arguments)
        source = f"({expression})({values})" if "=>" in expression.split("\n")[0] else expression
        result = await self._firefox.command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({source}) ?? null))()",
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        if result["type"] != "success":
            raise FirefoxError(result["exceptionDetails"]["text"])
        return json.loads(result["result"]["value"])

    async def wait_for(self, expression: str, *arguments: object, seconds: float = 20.0) -> Any:
        """Waits until the expression is true; TimeoutError when it does not become so."""
        async with asyncio.timeout(seconds):
            while not (value := await self.evaluate(expression, *arguments)):
                await asyncio.sleep(0.05)
        return value


class Firefox:
    """A connection to one running Firefox."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            answer = json.loads(message)
            waiting = self._waiting.pop(answer.get("id"), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)

    async def command(self, method: str, **parameters: object) -> dict[str, Any]:
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        answer = await self._waiting[number]
        if answer["type"] == "error":
            raise FirefoxError(f"{answer['error']}: {answer['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def tab(self) -> Tab:
        created = await self.command("browsingContext.create", type="tab")
        return Tab(self, created["context"])

    async def preload(self, script: str) -> None:
        """Runs a script in every page that is opened from now, before its own."""
        await self.command("script.addPreloadScript", functionDeclaration=f"() => {{{script}}}")

    async def close(self) -> None:
        self._reader.cancel()
        await self._socket.close()


@asynccontextmanager
async def firefox(**preferences: object) -> AsyncIterator[Firefox]:
    """Starts a headless Firefox with a profile of its own; accepts self-made certificates."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        raise FileNotFoundError("neither firefox-esr nor firefox is on the PATH")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = [
            f'user_pref("{name}", {json.dumps(value)});'
            for name, value in (PREFERENCES | preferences).items()
        ]
        (Path(profile) / "user.js").write_text("\n".join(lines))
        process = await asyncio.create_subprocess_exec(
            program,
            *("--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", profile),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            address = await asyncio.wait_for(_address(process), START_SECONDS)
            drain = asyncio.get_running_loop().create_task(_drain(process))
            async with connect(f"{address}/session", max_size=None) as socket:
                driver = Firefox(socket)
                always = {"acceptInsecureCerts": True}
                await driver.command("session.new", capabilities={"alwaysMatch": always})
                yield driver
                await driver.close()
            drain.cancel()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr
    async for line in process.stderr:
        if match := re.search(rb"WebDriver BiDi listening on (ws://\S+)", line):
            return match[1].decode()
    raise FirefoxError("Firefox ended before it listened")


async def _drain(process: asyncio.subprocess.Process) -> None:
    """Reads on, so that a chatty Firefox never blocks on a full pipe."""
    assert process.stderr
    async for _ in process.stderr:
        pass
