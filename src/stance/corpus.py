"""Score files of any size in constant memory, so that a killed job can be resumed.

The inputs are surveyed and divided into shards of the same number of rows; each shard is scored
and written as one part. What stands in a part depends on its rows alone, never on where a job was
interrupted or which engine ran it.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from stance import __version__
from stance.errors import InputError
from stance.inputs import BadRow, Statement, iter_rows
from stance.journal import Journal
from stance.model import load
from stance.outputs import SCHEMA, Output, claim
from stance.progress import show_progress
from stance.shards import (
    Layout,
    Outcome,
    Scorer,
    plan_layout,
    use_cascade,
    use_model,
    write_part,
)
from stance.sources import Input, find_inputs
from stance.survey import Shard, Survey, survey

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What to score, and how.

    Attributes:
        names: files, folders or globs.
        output: where to.
        text_column: the column that holds the statements; a txt file needs none.
        shard_rows: input rows of a part.
        model: model folder or Hub name, None for the released one.
        revision: commit of the Hub repository.
        device: ``auto``, ``cpu`` or ``cuda``.
        fast: ask the full model only about rows that its first stage passes on.
        resume: go on with the job begun at ``output``.
        bars: show progress as a bar on stderr rather than as a message a minute.
    """

    names: Sequence[str]
    output: Output
    text_column: str = "text"
    shard_rows: int = 10_000
    model: str | None = None
    revision: str | None = None
    device: str = "auto"
    fast: bool = False
    resume: bool = False
    bars: bool = False


@dataclass(frozen=True)
class Work:
    """The shards of a job: all that scoring one of them needs, the scorer apart."""

    job: Job
    inputs: tuple[Input, ...]
    shards: tuple[Shard, ...]
    layout: Layout


@dataclass(frozen=True)
class Summary:
    """What a job came to.

    Attributes:
        rows: rows scored, in earlier runs too.
        labels: those rows by label.
        bad_rows: rows that could not be scored.
        new_rows: rows that this run scored.
        seconds: time that it took to score them.
        skipped: rows, among all, that a first stage answered.
        cascade: facts of that stage, as ``bundle.CascadeFacts`` has them, or None.
    """

    rows: int
    labels: dict[str, int]
    bad_rows: int
    new_rows: int
    seconds: float
    skipped: int = 0
    cascade: dict[str, Any] | None = None


Tick = Callable[[int], object]
Engine = Callable[[Work, Scorer, int, Tick], Iterator[Outcome]]
"""Writes the parts from a given one on and yields their outcomes in order. It calls back with
numbers of rows done."""


def open_scorer(job: Job) -> Scorer:
    """Return the scorer of a job."""
    model = load(job.model, revision=job.revision, device=job.device)
    model.check_stances("stance score")
    return use_cascade(model) if job.fast else use_model(model)


def score_here(work: Work, scorer: Scorer, first: int, tick: Tick) -> Iterator[Outcome]:
    """Score the shards from a given one on in this process, reading each input once."""
    rows = iter_rows(work.inputs, work.shards[first].start, work.job.text_column)
    for index in range(first, len(work.shards)):
        yield score_shard(work, index, rows, scorer, tick)


def score_shard(
    work: Work, index: int, rows: Iterator[Statement | BadRow], scorer: Scorer, tick: Tick
) -> Outcome:
    """Score the next rows as a shard and write its part.

    Raises:
        InputError: the inputs end too early.
        StanceError: the part cannot be written.
    """
    wanted = work.shards[index].rows
    path = work.job.output.name_part(index)
    outcome = write_part(path, count(islice(rows, wanted), tick), scorer, work.layout)
    found = sum(outcome.labels.values()) + len(outcome.bad)
    if found != wanted:
        raise InputError(
            f"input rows of {path.name}",
            expected=f"{wanted:,} rows, as when the job began",
            found=f"{found:,}",
            remedy="Leave the inputs alone while they are scored; begin anew in another OUT.",
        )
    return outcome


def count(rows: Iterable[Statement | BadRow], tick: Tick) -> Iterator[Statement | BadRow]:
    """Yield rows and report each."""
    for row in rows:
        yield row
        tick(1)


def score(job: Job, engine: Engine = score_here) -> Summary:
    """Score a corpus.

    Args:
        job: what to score, and how.
        engine: what scores the shards.

    Raises:
        InputError: an input cannot be read, the output exists, another job is at work there, or
            input, model or options changed since the run that is resumed.
        StanceError: the output cannot be written; what is there stays and can be resumed.
    """
    output = job.output
    inputs = find_inputs(job.names, (output.path, output.folder, output.run, output.bad))
    scorer = open_scorer(job)
    with claim(output, resume=job.resume) as earlier:
        found = look_through(job, inputs)
        layout = plan_layout(output.form, job.text_column, found.columns, scorer.marks)
        journal = Journal(output, identify(job, scorer, found), earlier)
        if output.is_finished:
            journal.check_finished()
            journal.clear()
            return summarize(journal, len(journal.shards), 0.0)
        work = Work(job, tuple(inputs), tuple(found.shards), layout)
        for name, new in layout.renamed.items():
            log.info("input column '%s' is written as '%s': the name is ours", name, new)
        start = time.perf_counter()
        first = journal.take_up()
        try:
            run_shards(work, scorer, engine, journal, first)
            seconds = time.perf_counter() - start
            journal.finish(layout)
        except BaseException as error:
            hint = "" if isinstance(error, InputError) else "; the same call with --resume goes on"
            log.info("stopped with %d of %d parts written%s",
                     len(journal.shards), len(work.shards), hint)  # fmt: skip
            raise
    return summarize(journal, first, seconds)


def look_through(job: Job, inputs: Sequence[Input]) -> Survey:
    """Survey the inputs and say how far that is."""
    size = sum(source.stamp.size for source in inputs)
    with show_progress("reading", size, "B", bars=job.bars, scale=True) as bar:
        return survey(inputs, job.text_column, job.shard_rows, bar.update)


def identify(job: Job, scorer: Scorer, found: Survey) -> dict[str, Any]:
    """Return what must not change between the runs of a job, as ``run.json`` has it."""
    return {
        "schema": SCHEMA,
        "stance_version": __version__,
        "model": scorer.model,
        "options": {
            "text_column": job.text_column,
            "shard_rows": job.shard_rows,
            "format": job.output.form,
            "device": job.device,
            "fast": job.fast,
        },
        "inputs": found.facts,
    }


def run_shards(work: Work, scorer: Scorer, engine: Engine, journal: Journal, first: int) -> None:
    """Score the shards from a given one on and record each.

    Raises:
        InputError: an input changed; what was read of it then is not recorded.
    """
    total = sum(shard.rows for shard in work.shards)
    done = sum(shard.rows for shard in work.shards[:first])
    with show_progress("scoring", total, " rows", bars=work.job.bars, done=done) as bar:
        outcomes = engine(work, scorer, first, bar.update) if first < len(work.shards) else ()
        try:
            for index, outcome in enumerate(outcomes, start=first):
                for source in list_sources(work, index):
                    source.check_unchanged()
                journal.commit(outcome)
        except InputError:
            for source in work.inputs:
                source.check_unchanged()  # where one changed, that is why
            raise
        finally:
            journal.save(done=False)


def list_sources(work: Work, index: int) -> tuple[Input, ...]:
    """Return the inputs of which a shard may hold rows."""
    last = work.shards[index + 1].start.file if index + 1 < len(work.shards) else len(work.inputs)
    return work.inputs[work.shards[index].start.file : last + 1]


def summarize(journal: Journal, first: int, seconds: float) -> Summary:
    """Return what a job came to; ``first`` is the first part that this run wrote."""
    new = sum(shard["rows"] for shard in journal.shards[first:])
    return Summary(
        journal.rows, journal.labels, journal.bad_rows, new, seconds, journal.skipped,
        journal.identity["model"].get("cascade"),
    )  # fmt: skip
