"""A world in which requests are asked one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provider.journal.entry import Outcome, Request, RequestType
from provider.lifecycle.delivery import Ask, Save
from provider.look import Status
from tests.any_order.world import ALIVE, Answer, Message, Run, World, own

if TYPE_CHECKING:
    from collections.abc import Callable

CREATE, UPDATE, DELETE = RequestType.CREATE, RequestType.UPDATE, RequestType.DELETE
Told = tuple[Outcome, str] | None


class Story:
    """What is told is the outcome and the job's name, without its host."""

    def __init__(self, *, is_endpoint: bool = False, **world: Any) -> None:  # noqa: ANN401
        self.world = World(is_endpoint, **world)
        self.count = 0

    def ask(self, kind: RequestType, names: str = "", **fields: Any) -> Request:  # noqa: ANN401
        """Have CloudFormation ask; signed now, if nothing else is said."""
        self.count += 1
        request_id = f"r{self.count}"
        starts = kind is not DELETE and "describes" in fields
        return Request(
            type=kind,
            id=request_id,
            until=self.world.now + 3600,
            names=names,
            own=own(request_id) if starts else "",
            settings={"by": request_id},
            **{"signed_at": int(self.world.now), "waits": kind is DELETE, **fields},
        )

    def deliver(self, request: Request) -> Run:
        """Have an invocation begin."""
        return Run(self.world, Message(request, self.world.now, is_event=True))

    def run(self, of: Request | Run) -> Told:
        """Go through with a delivery, and with the messages that go on with it."""
        run = self.deliver(of) if isinstance(of, Request) else of
        for looks in range(10_000):
            while run.step():
                pass
            if run.next is None:
                return self.told(run.of) if isinstance(run.of, Request) else None
            self.world.queue.remove(run.next)
            self.world.advance(30.0 if looks < 40 else 600.0)
            run = Run(self.world, run.next)
        raise AssertionError(("a delivery does not end", run.of))

    def do(self, kind: RequestType, names: str = "", **fields: Any) -> Told:  # noqa: ANN401
        """Have CloudFormation ask, a minute later, and get its answer."""
        self.world.advance(60)
        return self.run(self.ask(kind, names, **fields))

    def until(self, run: Run, is_so: Callable[[], object]) -> Run:
        """Go on to a place."""
        for _ in range(10_000):
            if is_so():
                return run
            assert run.step(), "it is over"
        raise AssertionError("it does not come to that")

    def until_saved(self, run: Run) -> Run:
        """Go on to right after the next write."""
        self.until(run, lambda: isinstance(run.effect, Save))
        run.step()
        return run

    def until_asked(self, run: Run, verb: str) -> Run:
        """Go on to right after a call of Neptune."""
        return self.until(run, lambda: isinstance(run.asked, Ask) and run.asked.verb == verb)

    def messages(self) -> None:
        """Have all messages that are in the queue gone through with."""
        while self.world.queue:
            self.run(Run(self.world, self.world.queue.pop(0)))

    def answer(self, request: Request) -> Answer:
        """What a request was told last."""
        return self.world.told[request.id][-1]

    def told(self, request: Request) -> Told:
        answers = self.world.told.get(request.id)
        return (answers[-1].outcome, answers[-1].job.rpartition("/")[2]) if answers else None

    def reason(self) -> str:
        """Why the newest request failed."""
        return self.world.told[f"r{self.count}"][-1].told.reason

    def runs(self, identity: str) -> bool:
        job = self.world.jobs.get(identity)
        return job is not None and job.status in (*ALIVE, Status.STOPPING)

    def entry_of(self, identity: str) -> Any:  # noqa: ANN401
        """What is written down of a job."""
        return self.world.entry.jobs.get(identity) if self.world.entry else None
