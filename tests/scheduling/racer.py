"""A process full of clients that press at the same moment: ``python -m tests.scheduling.racer``.

Reads one JSON list of presses (``session``, ``path``, ``fields``) from the first line of its
input, says "ready", and sends all of them when another line comes. Answers one JSON list, in the
same order: ``status``, ``code``, ``alternatives``, ``location``.
"""

import asyncio
import json
import sys
from typing import Any

import httpx

CSRF = "r" * 32  # cookie and field only have to be equal (double submit)


async def press(url: str, asked: dict[str, Any], go: asyncio.Event) -> dict[str, Any]:
    cookies = {"sessionid": asked["session"], "csrftoken": CSRF}
    async with httpx.AsyncClient(base_url=url, cookies=cookies, timeout=60) as client:
        await client.get("/healthz")  # the connection stands before the start
        await go.wait()
        fields = {**asked["fields"], "csrfmiddlewaretoken": CSRF}
        answer = await client.post(asked["path"], data=fields)
    return {
        "status": answer.status_code,
        "code": answer.headers.get("Telemed-Refused", ""),
        "alternatives": list(
            filter(None, answer.headers.get("Telemed-Alternatives", "").split(","))
        ),
        "location": answer.headers.get("Location", ""),
    }


async def main(url: str) -> None:
    go = asyncio.Event()
    asked = json.loads(sys.stdin.readline())
    presses = [asyncio.create_task(press(url, one, go)) for one in asked]
    await asyncio.sleep(0)
    print("ready", flush=True)  # noqa: T201 what the test waits for
    await asyncio.to_thread(sys.stdin.readline)
    go.set()
    print(json.dumps(await asyncio.gather(*presses)), flush=True)  # noqa: T201 its answer


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
