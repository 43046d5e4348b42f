"""What each event of `events/` is to lead to."""

from __future__ import annotations

from dataclasses import dataclass

from local import world


@dataclass(frozen=True)
class Outcome:
    status: str
    physical_id: str
    reason: str = ""
    cancellation: str | None = None  # the request that cancels the job, after /ml/modeltransform/
    job: str | None = None  # the status in which the event leaves the job that it is about; None: there is none
    cleaned: bool = False  # the job's artifacts are deleted


CLUSTER = f"http://{world.HOST}:{world.FIXED_PORTS.neptune}"
FAILED_CREATE = "d3a9f1b7-5c62-4e8d-9b04-7e1c2a6f8d35"
MISTYPED_CREATE = "6b1d8e42-0f7c-4a39-b5e6-93c4d2a1f058"

OUTCOMES = {
    "create": Outcome("SUCCESS", f"{CLUSTER}/movies", job="InProgress"),
    "create-unknown-job": Outcome(
        "FAILED", f"no-job/{FAILED_CREATE}", "knows no model transform job podcasts. Check Id and Endpoint."
    ),
    "create-mistyped-property": Outcome(
        "FAILED",
        f"no-job/{MISTYPED_CREATE}",
        "'Claen' is not a property of Custom::NeptuneMLModelTransformJob; did you mean Clean?",
        job="InProgress",
    ),
    "update-settings": Outcome("SUCCESS", f"{CLUSTER}/movies", job="InProgress"),
    "update-other-job": Outcome("SUCCESS", f"{CLUSTER}/books", job="InProgress"),
    "delete": Outcome("SUCCESS", f"{CLUSTER}/movies", cancellation="movies?clean=false", job="Stopped"),
    "delete-clean": Outcome(
        "SUCCESS",
        f"{CLUSTER}/movies",
        cancellation="movies?neptuneIamRoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FNeptuneML&clean=true",
        job="Stopped",
        cleaned=True,
    ),
    "delete-waiting": Outcome("SUCCESS", f"{CLUSTER}/games"),
    "delete-job-gone": Outcome("SUCCESS", f"{CLUSTER}/games", cancellation="games?clean=false"),
    "delete-after-failed-create": Outcome("SUCCESS", f"no-job/{FAILED_CREATE}"),
    "delete-slow-to-stop": Outcome("SUCCESS", f"{CLUSTER}/music", cancellation="music?clean=false", job="Stopped"),
    "delete-never-stops": Outcome(
        "FAILED",
        f"{CLUSTER}/stuck",
        "The job stuck has not stopped yet (its status is Stopping). The time for waiting is up",
        cancellation="stuck?clean=false",
        job="Stopping",
    ),
}
"""By the names of the events."""
