"""The files of deploy/ at work: nginx, the processes of the units, backup and restore.

    python -m bench.installation --json

The production environment of deploy/telemed.env with keys made for this trial, a PostgreSQL, a
Redis and a nginx of their own, and every process by the ExecStartPre and ExecStart of its unit.
Only paths, addresses, ports and the certificate are other than there. Asked from the outside,
through nginx: pages, static files, the media path with its upgrade, what it says of the client, and
that the figures are nowhere. Then what deploy/backup.sh makes of the demo's records is restored
into a new database, on PostgreSQL as a user without rights of its own and on SQLite, and opened:
with the keys, and not without.
``--call`` holds a call of two Chromium through the same nginx, with the demo people.

What it does not try: users and groups, the limits that systemd sets, and the firewall. Needs the
Debian packages nginx, postgresql, redis-server and rsync.
"""

import argparse
import base64
import contextlib
import http.client
import json
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from playwright.sync_api import sync_playwright

from bench import call, watching
from bench.nginx import Nginx, listens, mirror, running
from bench.units import (
    DEPLOY,
    HOST,
    START_TIMEOUT,
    Folder,
    Unit,
    Wrong,
    manage,
    processes,
    production,
)
from telemed.run.addresses import network_addresses
from tests import servers

Trials = dict[str, bool]
# Everything that is sealed in the database, opened; and whether the audit can still be changed.
READ = """
import hashlib, json
from django.apps import apps
from django.db import DatabaseError, connection
from telemed.audit.models import Event
from telemed.lib.fields import SealedBytesField, SealedTextField
digest, count = hashlib.sha256(), 0
for model in apps.get_models():
    fields = model._meta.concrete_fields
    names = [one.attname for one in fields if isinstance(one, SealedTextField | SealedBytesField)]
    for row in model._base_manager.order_by("pk") if names else ():
        count += 1
        digest.update(repr([row.pk, *(getattr(row, name) for name in names)]).encode())
try:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {Event._meta.db_table} SET id = id + 1000000")
    held = False
except DatabaseError:
    held = True
print(json.dumps([count, digest.hexdigest(), held]))
"""


def through_nginx(folder: Folder, nginx: Nginx, units: list[Unit]) -> Trials:
    limit = time.monotonic() + START_TIMEOUT
    while nginx.ask("/readyz")[0] != 200:
        if time.monotonic() > limit:
            told = "".join(unit.log.read_text(errors="replace")[-600:] for unit in units)
            raise Wrong(f"{nginx.ask('/readyz')[2].decode()}\n{told}")
        time.sleep(0.5)
    found: Trials = {"database, Redis, worker and media are ready": True}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", nginx.port)) as plain:
        plain.request("GET", "/visit/x?y=1", headers={"Host": HOST})
        answer = plain.getresponse()
        found["http leads to https"] = (answer.status, answer.getheader("Location")) == (
            301,
            f"https://{HOST}/visit/x?y=1",
        )
    status, headers, page = nginx.ask("/accounts/login/")
    found["a page"] = status == 200 and b"<form" in page
    found["with Strict-Transport-Security"] = "strict-transport-security" in headers
    found["its cookies for https alone"] = "secure" in headers.get("set-cookie", "").lower()
    styles = re.findall(rb'href="(/static/[^"]+\.css)"', page)
    status, headers, _ = nginx.ask(styles[0].decode())
    found["its style, kept for good"] = status == 200 and "immutable" in headers["cache-control"]
    found["another host name is refused"] = nginx.ask("/", Host="else.example")[0] == 400
    found["the socket of a room opens"] = nginx.upgrades("/media/m1/room") == 101
    found["a foreign page's does not"] = _foreign(nginx) == 403
    found["an absent process is 502"] = nginx.upgrades("/media/m7/room") == 502
    found |= of_the_client(folder, nginx)
    return found | figures_kept_in(nginx, units)


def _foreign(nginx: Nginx) -> int:
    return nginx.ask(
        "/media/m1/room",
        Connection="Upgrade",
        Upgrade="websocket",
        Origin="https://else.example",
        Sec_WebSocket_Version="13",
        Sec_WebSocket_Key=base64.b64encode(secrets.token_bytes(16)).decode(),
    )[0]


def of_the_client(folder: Folder, nginx: Nginx) -> Trials:
    lies = {
        "X_Forwarded_For": "203.0.113.66",
        "X_Forwarded_Proto": "http",
        "X_Forwarded_Host": "else.example",
        "Forwarded": "for=203.0.113.66",
    }
    with mirror(folder) as path:
        told = json.loads(nginx.ask(path, **lies)[2])
    log = (folder / "nginx/telemed.log").read_text()
    return {
        "what a client says of itself is overwritten": (
            told["x-forwarded-for"],
            told["x-forwarded-proto"],
            told["x-forwarded-host"],
            told.get("forwarded"),
        )
        == ("127.0.0.1", "https", HOST, None),
        "no path in the log": "login" not in log and " 200 " in log,
    }


def figures_kept_in(nginx: Nginx, units: list[Unit]) -> Trials:
    address = next(unit.metrics for unit in units if unit.name == "telemed-media@.service")
    host, _, port = address.partition(":")
    with contextlib.closing(http.client.HTTPConnection(host, int(port))) as asking:
        asking.request("GET", "/metrics")
        inside = asking.getresponse().read()
    paths = ["/metrics", "/media/m1/metrics", "/media/m1/", "/media/m1/../../metrics"]
    outside = [nginx.ask(path) for path in paths]
    return {
        "figures on loopback": b"telemed_media_" in inside,
        "none through nginx": not any(b"telemed_media_" in body for *_, body in outside),
        "none at this machine's addresses": not any(
            listens(one, int(port)) for one in network_addresses()
        ),
    }


# Backup and restore.


def back_up(environment: dict[str, str], folder: Folder) -> Path:
    done = subprocess.run(
        [str(DEPLOY / "backup.sh"), str(folder / "backups")],
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Wrong(f"backup.sh: {done.stderr}")
    return Path(done.stdout.strip())


def opened(environment: dict[str, str]) -> tuple[int, str, bool]:
    """How many sealed rows there are, a digest of them all in clear, whether the audit holds."""
    count, digest, held = json.loads(
        manage(environment, "shell", "--verbosity", "0", "--command", READ)
    )
    return count, digest, held


def kept(environment: dict[str, str], folder: Folder, restored: str) -> Trials:
    """The demo's records by backup.sh into ``restored``, a database that is there and empty."""
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "demo")
    picture = folder / "var/pictures/7a0f9c6e/kept"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(b"sealed")
    before = opened(environment)
    head = manage(environment, "verify_audit").split()[-1]
    copy = back_up(environment, folder)
    beside = folder / "backups/pictures/7a0f9c6e/kept"
    found = {
        "readable for its owner alone": copy.stat().st_mode & 0o077 == 0,
        "the pictures are beside it": beside.read_bytes() == b"sealed",
    }
    shutil.rmtree(picture.parent)
    back_up(environment, folder)
    found["a deleted one is gone with the next"] = not beside.exists()
    elsewhere = environment | {"DATABASE_URL": restored}
    restore(copy, restored)
    manage(elsewhere, "migrate", "--verbosity", "0")
    manage(elsewhere, "verify_audit", "--expect", head)
    found["its audit is whole"] = True  # or the command has ended this trial
    found["every sealed row opens"] = before[0] > 0 and opened(elsewhere)[:2] == before[:2]
    found["its audit cannot be changed"] = before[2] and opened(elsewhere)[2]
    found["none opens without the keys"] = False
    try:
        opened(elsewhere | {"FIELD_KEYS": f"2026a:{secrets.token_urlsafe(48)}"})
    except Wrong as wrong:
        found["none opens without the keys"] = "Unreadable" in str(wrong)
    return found


def restore(copy: Path, database: str) -> None:
    if copy.suffix == ".sqlite3":
        shutil.copy(copy, database.removeprefix("sqlite:///"))
        return
    words = ["pg_restore", "--exit-on-error", f"--dbname={database}", "--no-owner", str(copy)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise Wrong(f"pg_restore: {done.stderr}")


def owned_databases(*names: str) -> list[str]:
    """New databases of a user who may do nothing else, as createuser and createdb make them."""
    with psycopg.connect(servers.postgresql.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE clinic LOGIN")
        for name in names:
            connection.execute(f"CREATE DATABASE {name} OWNER clinic".encode())
    return [servers.postgresql.url(name).replace("telemed@", "clinic@") for name in names]


def demonstration(folder: Folder, database: str) -> dict[str, str]:
    """With keys as in production: the demo people, who must not be there, are the records."""
    environment = production(folder, database)
    return environment | {"TELEMED_MODE": "development"}


# A call.


def a_call(folder: Folder, nginx: Nginx) -> dict[str, float | None]:
    """Seconds to the first picture of each side, in the product of ``make run`` behind nginx."""
    home = folder / "product"
    home.mkdir()
    product = servers.Product(
        home,
        MEDIA_BIND="127.0.0.1",
        PUBLIC_URL=f"https://{HOST}:{nginx.tls_port}",
    )
    url = f"https://{HOST}:{nginx.tls_port}"
    flags = [*call.FLAGS, "--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
    flags += [f"--host-resolver-rules=MAP {HOST} 127.0.0.1", "--ignore-certificate-errors"]
    with servers.running(product), sync_playwright() as driver:
        lead_to(folder, product)
        browser = driver.chromium.launch(executable_path=servers.chromium(), args=flags)
        specialist = call.sign_in(browser, url, call.SPECIALIST)
        patient = call.sign_in(browser, url, call.PATIENT)
        link = patient.pages[0].locator("a[href^='/visit/']").first
        address = url + str(link.get_attribute("href"))
        town = specialist.pages[0]
        call.go_in(town, address, watching.SCRIPT)
        town.locator("#call").wait_for(timeout=90_000)
        country = call.wait_to_be_let_in(browser, patient, address, watching.SCRIPT)
        town.locator("[data-act=admit]").first.click()
        begun = float(town.evaluate("watching.clicked()")) / 1000
        taken = {
            "specialist": watching.first_after(town, "Frame", begun, 60),
            "patient": watching.first_after(country, "Frame", begun, 60),
        }
        browser.close()
    return taken


def lead_to(folder: Folder, product: servers.Product) -> None:
    """The sockets of ``product`` under the names that nginx knows."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            words = (stat.parent / "cmdline").read_text().split("\0")
            if parent == product.process.pid and "--socket" in words:
                path = Path(words[words.index("--socket") + 1])
                for name in ("web-1", "web-2") if path.stem == "web" else (path.stem,):
                    link = folder / f"run/{name}.sock"
                    link.unlink(missing_ok=True)
                    link.symlink_to(path)


# Telling.


def units_say() -> str | None:
    """What ``systemd-analyze verify`` has against the units; None where there is no systemd."""
    if shutil.which("systemd-analyze") is None:
        return None
    with tempfile.TemporaryDirectory() as place:
        for path in (DEPLOY / "systemd").iterdir():
            text = path.read_text()
            text = text.replace("/opt/telemed/.venv/bin/python", sys.executable)
            name = path.name.replace("@.", "@1.")
            Path(place, name).write_text(text.replace("/opt/telemed", str(servers.ROOT)))
        done = subprocess.run(
            ["systemd-analyze", "verify", *map(str, sorted(Path(place).iterdir()))],
            capture_output=True,
            text=True,
        )
    return done.stderr


Part = Callable[[], Trials]


def run(root: Path, *, with_call: bool) -> dict[str, Trials]:
    found: dict[str, Trials] = {}
    told = units_say()
    if told is not None:
        print(told, end="")
        found["systemd-analyze verify"] = {"has nothing against the units": not told}
    folder = Folder(root)
    nginx = Nginx(folder)
    told = nginx.test()
    print(told, end="")
    found["nginx -t"] = {"has nothing against nginx.conf": not told}
    with servers.running(servers.redis), servers.running(servers.postgresql):
        main, clinic, restored = owned_databases("main", "clinic", "restored")
        environment = production(folder, main)
        manage(environment, "check", "--deploy", "--database", "default")
        manage(environment, "migrate", "--verbosity", "0")
        manage(
            environment,
            *("begin", "--organisation", "Ministère de la Santé"),
            *("--name", "Administrator", "--email", "administrator@example.org"),
        )
        with running(nginx):
            with processes(folder, environment) as units:
                found["through nginx"] = through_nginx(folder, nginx, units)
            if with_call:
                taken = a_call(folder, nginx)
                print(*(f"{who}: first picture after {s} s" for who, s in taken.items()), sep="\n")
                found["a call"] = {f"the {who} sees": s is not None for who, s in taken.items()}
        found["backup, PostgreSQL"] = kept(demonstration(folder, clinic), folder, restored)
        lite = f"sqlite:///{folder / 'var/telemed.sqlite3'}"
        again = f"sqlite:///{folder / 'var/restored.sqlite3'}"
        found["backup, SQLite"] = kept(demonstration(folder, lite), folder, again)
    return found


def table(found: dict[str, Trials]) -> Iterator[str]:
    for part, trials in found.items():
        yield part
        for name, held in trials.items():
            yield f"{'yes' if held else 'NO':>5}  {name}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.installation")
    parser.add_argument("--call", action="store_true", help="a call of two Chromium too")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    missing = [
        one for one in ("nginx", "pg_dump", "redis-server", "rsync") if not shutil.which(one)
    ]
    if missing:
        print(f"This needs {', '.join(missing)}.")
        return 2
    with tempfile.TemporaryDirectory(prefix="telemed-") as root:
        try:
            found = run(Path(root), with_call=options.call)
        except Exception:  # noqa: BLE001 - told whole, as by the other trials
            traceback.print_exc()
            return 1
    print(*table(found), sep="\n")
    if options.json:
        print(json.dumps(found))
    return 0 if all(held for trials in found.values() for held in trials.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
