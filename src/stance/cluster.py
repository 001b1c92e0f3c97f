"""The shards of a job on Ray Data (extra ``ray``): one model a worker, here or on a cluster.

Workers read the inputs and write the parts themselves, so a cluster needs a disk that all its
machines see under the same paths. This process only keeps the journal.
"""

import json
import logging
import os
import platform
import socket
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from stance.corpus import Engine, Tick, Work, open_scorer, score_shard
from stance.errors import InputError, StanceError
from stance.inputs import BadRow, iter_rows
from stance.shards import Outcome, Scorer

CONNECT_S = 10  # for a cluster to answer; Ray itself would try for many minutes
TASKS_AHEAD = 2  # shards that wait at each worker, so that it never waits for one


class ShardWorker:
    """A process that holds one model and scores shards with it.

    Args:
        work: the job's shards.
        sha256: the model that it must be.
        folder: where this process works, so that relative paths mean the same.
    """

    def __init__(self, work: Work, sha256: str, folder: str) -> None:
        if os.path.isdir(folder):  # noqa: PTH112 - absolute paths need no such folder
            os.chdir(folder)
        self.work, self.problem = work, None
        try:
            self.scorer = open_scorer(work.job)
            if self.scorer.model["sha256"] != sha256:
                raise InputError(
                    f"model on {platform.node()}",
                    expected=f"sha256 {sha256}",
                    found=f"sha256 {self.scorer.model['sha256']}",
                    remedy="Install the same version of the package, or pass --model.",
                )
        except StanceError as error:
            self.problem = error

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Score one shard; errors of ours travel as data, for Ray would bury them in traces."""
        try:
            if self.problem:
                raise self.problem
            shard = self.work.shards[row["shard"]]
            rows = iter_rows(self.work.inputs, shard.start, self.work.job.text_column)
            outcome = score_shard(self.work, row["shard"], rows, self.scorer, lambda n: None)
            return {"outcome": json.dumps(asdict(outcome)), "error": ""}
        except StanceError as error:
            fault = {"where": error.where, "expected": error.expected, "found": error.found,
                     "remedy": error.remedy, "is_input": isinstance(error, InputError)}  # fmt: skip
            return {"outcome": "", "error": json.dumps(fault)}


def use_ray(*, address: str | None = None, workers: int | None = None) -> Engine:
    """Return the engine that scores on Ray.

    Args:
        address: of a cluster, as ``ray.init`` takes it; None for this machine alone.
        workers: number of models at work; None for one a machine, each on all its cores.

    Raises:
        ModuleNotFoundError: Ray is not installed.
    """
    import ray.data  # missing, it is missed now rather than after the survey

    def score_on_ray(work: Work, scorer: Scorer, first: int, tick: Tick) -> Iterator[Outcome]:
        ours = not ray.is_initialized()
        connect(address)
        try:
            for outcome in iter_outcomes(work, scorer, first, workers):
                yield outcome
                tick(sum(outcome.labels.values()) + len(outcome.bad))
        finally:
            if ours:
                ray.shutdown()

    return score_on_ray


def connect(address: str | None) -> None:
    """Join a cluster, or start one on this machine.

    Raises:
        StanceError: the cluster does not answer, or does not start.
    """
    import ray

    if address:
        knock(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    options: dict[str, Any] = {} if address else {"include_dashboard": False}
    try:
        # Without an address Ray would look for a cluster, even a dead one, and wait for it.
        ray.init(address=address or "local", log_to_driver=False, logging_level=logging.ERROR,
                 ignore_reinit_error=True, **options)  # fmt: skip
    except Exception as error:  # Ray raises many kinds, plain Exception among them
        raise no_cluster(address, error) from error


def knock(address: str) -> None:
    """Raise unless somebody listens at an address that names host and port.

    Raises:
        StanceError: nobody does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), CONNECT_S).close()
        except (OSError, OverflowError) as error:
            raise no_cluster(address, error) from None


def no_cluster(address: str | None, error: Exception) -> StanceError:
    """Return the error of a cluster that does not answer."""
    return StanceError(
        f"Ray at {address}" if address else "Ray on this machine",
        expected="a cluster that answers",
        found=(str(error) or type(error).__name__).strip().splitlines()[0],
        remedy="Check the address (ray status), or start Ray with ray start --head.",
    )


def iter_outcomes(work: Work, scorer: Scorer, first: int, workers: int | None) -> Iterator[Outcome]:
    """Score the shards from a given one on with a pool of workers; yield outcomes in order."""
    import ray
    from ray.data import ActorPoolStrategy, DataContext

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    cores = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
    machines = [number for number in cores if number >= 1] or [1]  # a head may give none
    size = workers or len(machines)
    pending = [{"shard": index} for index in range(first, len(work.shards))]
    outcomes = ray.data.from_items(pending, override_num_blocks=len(pending)).map(
        ShardWorker,
        fn_constructor_args=(work, scorer.model["sha256"], os.getcwd()),  # noqa: PTH109
        compute=ActorPoolStrategy(size=size, max_tasks_in_flight_per_actor=TASKS_AHEAD),
        num_cpus=max(1, min(machines) * len(machines) // size),
        num_gpus=1 if work.job.device == "cuda" else 0,
    )
    try:
        for row in outcomes.iter_rows():
            yield read_result(row)
    except ray.exceptions.RayError as error:
        raise StanceError(
            "--engine ray",
            expected="workers that score their shards",
            found=str(error).strip().splitlines()[-1],
            remedy="Look into Ray's logs; the same call with --resume goes on.",
        ) from error


def read_result(row: dict[str, str]) -> Outcome:
    """Return a shard's outcome, or raise the error that it met."""
    if row["error"]:
        fault = json.loads(row["error"])
        raise (InputError if fault.pop("is_input") else StanceError)(**fault)
    fields = json.loads(row["outcome"])
    bad = [BadRow(**row) for row in fields.pop("bad")]
    return Outcome(bad=bad, **fields)
