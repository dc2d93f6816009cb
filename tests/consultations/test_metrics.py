"""What Prometheus is told of a media process, during a call and beside the public door."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from django.test import override_settings
from prometheus_client.parser import text_string_to_metric_families

from consultations.metrics import Metrics, Now
from consultations.process import Process
from consultations.sfu import Statistics, rtcp
from tests.consultations.callers import words
from tests.consultations.media import connected, hears
from tests.servers import Product

Figures = dict[tuple[str, str], float]
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9a-f]{1,4}:[0-9a-f:]{4,}")
IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{12}")
PHONE = re.compile(r"\+212|\b0[5-7]\d{8}\b")


@pytest.fixture
async def process(transactional_db: None) -> AsyncIterator[Process]:
    with override_settings(MEDIA_BIND=["127.0.0.1"], METRICS_ADDRESS=("127.0.0.1", 0)):
        running = await Process.start()
    yield running
    await running.stop()


async def scraped(process: Process) -> str:
    assert process.exposition is not None
    host, port = process.exposition.address
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{host}:{port}/metrics")
    assert answer.status_code == httpx.codes.OK
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.text


def parsed(text: str) -> Figures:
    """By name and the one label's value."""
    return {
        (sample.name.removeprefix("telemed_media_"), next(iter(sample.labels.values()), "")): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_call_moves_the_figures_and_leaves_no_trace_of_anybody(enter, visit, cast, process):
    before = parsed(await scraped(process))
    assert before["sessions", "connected"] == 0
    salma = await enter(cast.salma, visit)
    amina = await enter(cast.amina_user, visit)
    await amina.change("consent", participant=amina.id, **words())
    await salma.change("admit", participant=amina.id)
    await amina.until(lambda: amina.state == "admitted")
    hers, theirs = await connected(salma), await connected(amina)
    await hears(hers, 60)
    await hears(theirs, 60)
    hers.send(bytes(5))  # too short for anything
    theirs.send(theirs.dtls._tx_srtp.protect_rtcp(key_frame_request(theirs)))
    for _ in range(40):
        text = await scraped(process)
        after = parsed(text)
        if after["viewer_estimate_bits_per_second_count", ""] >= 2:
            break
        await asyncio.sleep(0.1)
    for name, direction, least in (
        ("packets_total", "in", 100),
        ("packets_total", "out", 100),
        ("bytes_total", "in", 10_000),
        ("bytes_total", "out", 10_000),
        ("key_frame_requests_total", "out", 1),
        ("key_frame_requests_total", "in", 1),
    ):
        assert after[name, direction] >= before[name, direction] + least, name
    assert after["sessions", "connected"] == 2
    assert (after["rooms", ""], after["people", ""]) == (1, 2)
    assert after["epoch", ""] == process.epoch
    assert after["refused_datagrams_total", "length"] == 1
    assert after["viewer_estimate_bits_per_second_count", ""] >= 2
    assert after["process_open_fds", ""] > 0
    assert after["process_cpu_seconds_total", ""] > 0
    assert after["process_resident_memory_bytes", ""] > 0
    told = [line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")]
    for known in (salma.id, amina.id, str(visit.pk), salma.ticket, "Amina", "Salma", "127.0.0"):
        assert known not in text
    for trace in (ADDRESS, IDENTIFIER, PHONE):
        assert [line for line in told if trace.search(line)] == []
    hers.kill()
    theirs.kill()


def key_frame_request(peer) -> bytes:
    picture = next(ssrc for ssrc, mid in peer.mids.items() if mid == str(peer.slots[0]))
    return rtcp.write_pli(picture)


async def test_nothing_but_the_figures_is_served(process):
    host, port = process.exposition.address
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}") as client:
        assert (await client.get("/")).status_code == httpx.codes.NOT_FOUND
        assert (await client.post("/metrics")).status_code == httpx.codes.NOT_FOUND
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET " + b"x" * 20_000 + b"\r\n\r\n")
    assert await reader.read() == b""
    writer.close()


def test_labels_are_words_of_the_code():
    drops = {"stun_rate": 3, "pacing": 2}
    facts = Statistics(1, 2, 3, 4, 5, 6, 7, 0.0, 0.0, drops, {"resent": 9}, {"silent": 1}, 1)
    metrics = Metrics(lambda: Now(facts, 1, 2, 3, draining=True, full=False, cpu=0.5))
    families = {family.name: family for family in metrics.collect()}
    labels = {
        (name, value)
        for family in families.values()
        for sample in family.samples
        for name, value in sample.labels.items()
    }
    assert {name for name, _ in labels} == {"state", "direction", "reason"}
    assert families["telemed_media_draining"].samples[0].value == 1
    assert families["telemed_media_resent_packets"].samples[0].value == 9


def test_the_public_port_does_not_lead_to_the_figures(product: Product):
    """The real front and the real media process of an installation on one machine."""
    assert "telemed_media_packets_total" in httpx.get(product.metrics_url).text
    for path in ("/metrics", "/media/m1/metrics", "/media/m1/../metrics", "/media/metrics/"):
        answer = httpx.get(product.url + path)
        assert "telemed_media" not in answer.text, path
        assert "process_cpu" not in answer.text, path
