"""What each event of `events/` is to lead to."""

from __future__ import annotations

from dataclasses import dataclass

from local import world


@dataclass(frozen=True)
class Outcome:
    status: str
    physical_id: str
    reason: str = ""
    job: str = ""  # the job that the event is about
    cancellation: str | None = None  # the request that cancels the job, after the path of its kind
    cancellations: int = 1  # how often that is sent
    starts: bool = False  # the job is started by the event
    changes: bool = False  # it is changed in place
    signals: bool = False  # a wait condition gets the outcome, not the request
    job_status: str = world.NOT_THERE  # in which the event leaves the job
    cleaned: bool = False  # the job's artifacts are deleted


CLUSTER = f"http://{world.HOST}:{world.FIXED_PORTS.neptune}"
FAILED_CREATE = "d3a9f1b7-5c62-4e8d-9b04-7e1c2a6f8d35"
MISTYPED_CREATE = "6b1d8e42-0f7c-4a39-b5e6-93c4d2a1f058"
HALF_A_PAIR = "c05a7e1b-98f2-4d34-a6c7-0d8e3b5f9a21"
BOTH_WAYS = "864e1d3f-b7c0-4a59-93d2-f5a8c60e7b14"

# The IDs that the provider gives: by them, Neptune refuses to start a request's job twice.
RECIPES = "recipes-graph-ModelTransform-pipisbcr5teuqi"
NEWS = "news-graph-ModelTransform-tyxez5joariehr"
PHOTOS = "photos-graph-ModelTransform-mn4tzym55leihd"
OTHER_RECIPES = "recipes-graph-ModelTransform-tc5xefmewkusku"
PROCESSING = "comics-graph-DataProcessing-rrvmxmwxwopbce"
TRAINING = "comics-graph-Training-7l5r2sgph7evw5"
ENDPOINT = "comics-graph-Endpoint-eoff4d5qcml2w4"
INVENTED_ID = "weather-graph-ModelTransform-1N2K5RF3Q0J6K"  # CloudFormation's, for a Create that it heard nothing of

OUTCOMES = {
    "create": Outcome("SUCCESS", f"{CLUSTER}/movies", job="movies", job_status="InProgress"),
    "create-start": Outcome("SUCCESS", f"{CLUSTER}/{RECIPES}", job=RECIPES, starts=True, job_status="InProgress"),
    "create-start-wait": Outcome("SUCCESS", f"{CLUSTER}/{NEWS}", job=NEWS, starts=True, job_status="Completed"),
    "create-start-fails": Outcome(
        "FAILED",
        f"{CLUSTER}/{PHOTOS}",
        f"The job {PHOTOS} has not completed: its status is Failed. Its log: https://",
        job=PHOTOS,
        starts=True,
        job_status="Failed",
    ),
    "create-unknown-job": Outcome(
        "FAILED",
        f"no-job/{FAILED_CREATE}",
        "has no model transform job podcasts. Check Id and Endpoint.",
        job="podcasts",
    ),
    "create-mistyped-property": Outcome(
        "FAILED",
        f"no-job/{MISTYPED_CREATE}",
        "'Claen' is not a property of Custom::NeptuneMLModelTransformJob; did you mean Clean?",
        job="movies",
        job_status="InProgress",
    ),
    "create-half-a-pair": Outcome(
        "FAILED",
        f"no-job/{HALF_A_PAIR}",
        "MlModelTrainingJobId is missing; specify it together with DataProcessingJobId.",
    ),
    "create-both-ways": Outcome(
        "FAILED",
        f"no-job/{BOTH_WAYS}",
        "Id adopts an existing job and cannot be combined with properties of a new one "
        "(ModelTransformOutputS3Location and TrainingJobName); remove one or the other.",
        job="movies",
        job_status="InProgress",
    ),
    "update-settings": Outcome("SUCCESS", f"{CLUSTER}/movies", job="movies", job_status="InProgress"),
    "update-other-job": Outcome("SUCCESS", f"{CLUSTER}/books", job="books", job_status="InProgress"),
    "update-description": Outcome(
        "SUCCESS",
        f"{CLUSTER}/{OTHER_RECIPES}",
        job=OTHER_RECIPES,
        starts=True,
        job_status="InProgress",
    ),
    "delete": Outcome(
        "SUCCESS", f"{CLUSTER}/movies", job="movies", cancellation="movies?clean=false", job_status="Stopped"
    ),
    "delete-started": Outcome(
        "SUCCESS",
        f"{CLUSTER}/{world.STARTED}",
        job=world.STARTED,
        cancellation=f"{world.STARTED}?clean=false",
        job_status="Stopped",
    ),
    "delete-clean": Outcome(
        "SUCCESS",
        f"{CLUSTER}/movies",
        job="movies",
        cancellation="movies?neptuneIamRoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FNeptuneML&clean=true",
        job_status="Stopped",
        cleaned=True,
    ),
    "delete-slow-to-stop": Outcome(
        "SUCCESS", f"{CLUSTER}/music", job="music", cancellation="music?clean=false", job_status="Stopped"
    ),
    "delete-never-stops": Outcome(
        "FAILED",
        f"{CLUSTER}/stuck",
        "The job stuck has not stopped yet (its status is Stopping). The operation reached its time "
        "limit (ServiceTimeout)",
        job="stuck",
        cancellation="stuck?clean=false",
        cancellations=2,  # at the end once more, as there is no queue here that would go on
        job_status="Stopping",
    ),
    "delete-waiting": Outcome("SUCCESS", f"{CLUSTER}/games", job="games"),
    "delete-job-gone": Outcome("SUCCESS", f"{CLUSTER}/games", job="games"),
    "delete-after-failed-create": Outcome("SUCCESS", f"no-job/{FAILED_CREATE}", job="podcasts"),
    "delete-unanswered-create": Outcome("SUCCESS", INVENTED_ID),
    "create-data-processing": Outcome(
        "SUCCESS", f"{CLUSTER}/{PROCESSING}", job=PROCESSING, starts=True, job_status="InProgress"
    ),
    "delete-data-processing": Outcome(
        "SUCCESS",
        f"{CLUSTER}/comics-processing",
        job="comics-processing",
        cancellation="comics-processing?clean=false",
        job_status="Stopped",
    ),
    "create-training": Outcome("SUCCESS", f"{CLUSTER}/{TRAINING}", job=TRAINING, starts=True, job_status="InProgress"),
    "delete-training": Outcome(
        "SUCCESS",
        f"{CLUSTER}/comics-training",
        job="comics-training",
        cancellation="comics-training?clean=false",
        job_status="Stopped",
    ),
    "create-completed": Outcome(
        "SUCCESS", f"{CLUSTER}/comics-trained", job="comics-trained", signals=True, job_status="Completed"
    ),
    "create-lookup": Outcome(
        "SUCCESS", f"lookup/ModelTrainingJob/{CLUSTER}/comics-trained", job="comics-trained", job_status="Completed"
    ),
    "create-endpoint": Outcome("SUCCESS", f"{CLUSTER}/{ENDPOINT}", job=ENDPOINT, starts=True, job_status="InService"),
    "update-endpoint": Outcome(
        "SUCCESS",
        f"{CLUSTER}/{world.STARTED_ENDPOINT}",
        job=world.STARTED_ENDPOINT,
        changes=True,
        job_status="InService",
    ),
    "delete-endpoint": Outcome(
        "SUCCESS",
        f"{CLUSTER}/{world.STARTED_ENDPOINT}",
        job=world.STARTED_ENDPOINT,
        cancellation=f"{world.STARTED_ENDPOINT}?clean=false",
    ),
}
"""By the names of the events."""
