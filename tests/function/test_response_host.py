"""CloudFormation's response host: with faults, and who else is not answered; no secret is logged."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from provider.custom_resource import answer as answers
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.request import Unanswerable
from provider.hosts import Hosts
from simulator.serving import serving
from tests.function.conftest import SECRETS
from tests.function.world import World, black_hole, delivered

if TYPE_CHECKING:
    import io

    from local.response_host import Behaviour

pytestmark = pytest.mark.usefixtures("written")

INVENTED = "graph-Job-1N2K5RF3Q0J6K"


@pytest.mark.parametrize("behaviours", [[500, 500], ["reset"], ["reset", 503, 429]], ids=repr)
def test_the_response_host_recovers(world: World, behaviours: list[Behaviour]) -> None:
    world.simulator.start_job("job-1", stop_seconds=5)
    world.host.behave(behaviours)
    assert world.ask("Delete")["Status"] == "SUCCESS"


@pytest.mark.parametrize("behaviour", [403, 500, "reset", "hang"], ids=repr)
def test_the_response_host_stays_broken_until_a_replay(
    world: World, behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "_TIMEOUT", urllib3.Timeout(0.05))
    world.simulator.start_job("job-1", stop_seconds=0)
    event = world.event("Delete")
    world.host.behave([], then=behaviour)
    for _ in range(3):  # as Lambda delivers it, before it goes to the queue of failed events
        with pytest.raises(Undeliverable, match=r"could not be delivered to 127\.0\.0\.1 .*gateway endpoint for S3"):
            world.invoke(event)
    world.host.behave([])
    world.run(event)
    assert world.answer(event)["Status"] == "SUCCESS"


def test_the_response_host_refuses_connections(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=0)
    event = world.event("Delete")
    event["ResponseURL"] = event["ResponseURL"].replace(world.host.url, "http://127.0.0.1:9")
    with pytest.raises(Undeliverable, match="in 5 attempts: NewConnectionError"):
        world.invoke(event)
    assert world.time() < 15


def test_the_response_host_cannot_be_reached(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_TIMEOUT", urllib3.Timeout(connect=0.05, read=5))
    world.simulator.start_job("job-1", stop_seconds=0)
    event = world.event("Delete")
    with black_hole() as port:
        event["ResponseURL"] = event["ResponseURL"].replace(world.host.url, f"http://127.0.0.1:{port}")
        with pytest.raises(Undeliverable, match="in 5 attempts: ConnectTimeoutError"):
            world.invoke(event)


def test_the_response_hosts_answer_drips_in(world: World) -> None:
    async def application(_scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"99")]})
        await send({"type": "http.response.body", "body": b".", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    world.simulator.start_job("job-1", stop_seconds=0)
    event = world.event("Delete")
    with serving(application, host="127.0.0.1", port=0) as port:
        event["ResponseURL"] = event["ResponseURL"].replace(world.host.url, f"http://127.0.0.1:{port}")
        began = time.monotonic()
        assert world.invoke(event)["Status"] == "SUCCESS"
    assert time.monotonic() - began < 4


def test_an_answer_that_fails_to_be_put_for_any_reason_is_not_taken_for_delivered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UnicodeError

    monkeypatch.setattr(urllib3.PoolManager, "request", fail)
    world.simulator.start_job("job-1", stop_seconds=0)
    with pytest.raises(Undeliverable, match="UnicodeError"):
        world.invoke(world.event("Delete"))


BUCKET = "cloudformation-custom-resource-response-useast1"
QUERY = f"X-Amz-Signature={SECRETS}"


@pytest.mark.parametrize(
    "url",
    [
        f"https://{BUCKET}.s3.amazonaws.com/key?{QUERY}",
        f"https://{BUCKET}.s3.us-east-1.amazonaws.com/key?{QUERY}",
        f"https://{BUCKET}.s3-us-east-1.amazonaws.com:443/key?AWSAccessKeyId=ASIA&Signature={SECRETS}",
    ],
)
def test_cloudformations_own_response_hosts_are_answered(
    world: World, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    asked: list[tuple[str, int]] = []

    def getaddrinfo(host: str, port: int, *_: object) -> None:
        asked.append((host, port))
        raise socket.gaierror  # the test has no internet

    world.simulator.start_job("job-1", stop_seconds=0)
    world.ask("Delete")  # connects to Neptune
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(Undeliverable, match=r"could not be delivered to cloudformation-custom-resource-response"):
        world.invoke(world.event("Delete", ResponseURL=url, PhysicalResourceId=INVENTED))
    assert set(asked) == {(url.split("/")[2].partition(":")[0], 443)}


BAD_URLS = [
    None,
    5,
    "",
    "no URL",
    f"file:///etc/passwd?{QUERY}",
    f"http://{BUCKET}.s3.amazonaws.com/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com:8443/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com:0/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com:port/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com/key",
    f"https://{BUCKET}.s3.amazonaws.com/key?X-Amz-Signature=",
    f"https://{BUCKET}.s3.amazonaws.com/key#?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com/{QUERY}",
    f"https://user@{BUCKET}.s3.amazonaws.com/key?{QUERY}",
    f"https://user:password@{BUCKET}.s3.amazonaws.com/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com\\@evil.example/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com\n.evil.example/key?{QUERY}",
    f"https://{BUCKET}.s3.amazonaws.com.evil.example/key?{QUERY}",
    f"https://evil.example/{BUCKET}.s3.amazonaws.com/key?{QUERY}",
    f"https://evil-{BUCKET}.s3.amazonaws.com/key?{QUERY}",
    f"https://{BUCKET}.evil.amazonaws.com/key?{QUERY}",
    f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/key?{QUERY}",
    f"https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/key?{QUERY}",
    f"https://anyones-bucket.s3.amazonaws.com/key?{QUERY}",
    f"https://s3.amazonaws.com/{BUCKET}/key?{QUERY}",
    f"https://abc123.execute-api.us-east-1.amazonaws.com/stage?{QUERY}",
    f"https://vpc-search-abc123.us-east-1.es.amazonaws.com/index?{QUERY}",
    f"https://169.254.169.254/latest?{QUERY}",
    f"http://127.0.0.1:80/key?{QUERY}",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_nobody_else_is_answered(world: World, written: io.StringIO, url: object) -> None:
    world.settings = world.settings._replace(responses=Hosts.of_responses("us-east-1"))
    world.simulator.start_job("job-1", stop_seconds=5)
    event = world.event("Delete", ResponseURL=url)
    with pytest.raises(Unanswerable, match="The event's ResponseURL "):
        world.invoke(event)
    with pytest.raises(Unanswerable):
        world.invoke(delivered(event))
    assert "The event cannot be answered" in written.getvalue()
    del event["RequestId"]
    told = world.invoke(event)
    assert told["Status"] == "UNANSWERED"
    assert told["Reason"].startswith("The event cannot be answered. The event's ResponseURL ")
    assert world.simulator.log == ()


def test_the_hosts_that_an_endpoint_may_name_may_not_be_answered(world: World) -> None:
    world.settings = world.settings._replace(
        clusters=Hosts.of_clusters(["127.0.0.1"]),
        responses=Hosts.of_responses("us-east-1", ["localhost"]),
    )
    world.simulator.start_job("job-1", stop_seconds=0)
    event = world.event("Delete")
    with pytest.raises(Unanswerable, match="does not use HTTPS on port 443"):
        world.invoke(event)
    event["ResponseURL"] = event["ResponseURL"].replace("127.0.0.1", "localhost")
    world.invoke(event)
    assert world.answer(event)["Status"] == "SUCCESS"


def test_the_hosts_that_may_be_answered_are_no_endpoints(world: World) -> None:
    world.settings = world.settings._replace(clusters=Hosts.of_clusters(["localhost"]))
    answer = world.ask("Create")
    assert answer["Status"] == "FAILED"
    assert "it should be a host under .neptune.amazonaws.com" in answer["Reason"]
    answer = world.ask("Delete")
    assert answer["Status"] == "FAILED"
    assert "If AllowedHosts was changed, restore it" in answer["Reason"]
    assert world.simulator.log == ()
