"""What CloudFormation asks of a resource that starts its job, and what it is told."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from provider.custom_resource.answer import Undeliverable
from provider.identity import Identity
from tests.function.world import EPOCH, delivered

if TYPE_CHECKING:
    from tests.function.world import World

INVENTED = "graph-Job-1N2K5RF3Q0J6K"
"""A physical ID that CloudFormation makes up, for a Create that it heard nothing of."""


def create(world: World, signed_at: float | None = None, /, **properties: object) -> dict[str, Any]:
    return world.event(
        "Create",
        signed_at=EPOCH + world.time() if signed_at is None else signed_at,
        ResourceProperties=world.described(**properties),
    )


def update(
    world: World, physical_id: str, old: dict[str, object], new: dict[str, object], **fields: object
) -> dict[str, Any]:
    return world.event(
        "Update",
        signed_at=EPOCH + world.time(),
        PhysicalResourceId=physical_id,
        ResourceProperties=new,
        OldResourceProperties=old,
        **fields,
    )


def delete(world: World, physical_id: str, **properties: object) -> dict[str, Any]:
    return world.event(
        "Delete",
        signed_at=EPOCH + world.time(),
        PhysicalResourceId=physical_id,
        ResourceProperties=world.described(**properties),
    )


def answered(world: World, event: dict[str, Any]) -> dict[str, Any]:
    world.run(event)
    return world.answer(event)


def job_id(answer: dict[str, Any]) -> str:
    identity = Identity.parse(answer["PhysicalResourceId"])
    assert identity is not None, answer
    return identity.id


def unheard(world: World, event: dict[str, Any]) -> None:
    """Have a request fulfilled, and its answer not be delivered."""
    world.host.behave((), then=503)
    with suppress(Undeliverable):
        world.invoke(event)
    world.host.behave(())


def begun(world: World, event: dict[str, Any]) -> dict[str, Any]:
    """Have a request begun that waits; returns its next look, which comes whenever the test delivers it."""
    world.invoke(event)
    ((message, _),) = world.queue.waiting  # type: ignore[attr-defined] # the world's own queue
    world.queue.waiting.clear()  # type: ignore[attr-defined]
    return delivered(message)
