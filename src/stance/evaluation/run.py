"""The harness: a judge and data sets in, ``results.json`` and per-row predictions out."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from stance.errors import InputError
from stance.evaluation import benchmarks
from stance.evaluation.earlier import check_models, find_earlier
from stance.evaluation.folds import list_articles, load_fold, load_tuned
from stance.evaluation.grounds import (
    Beside,
    fit_for_benchmark,
    fit_for_judge,
    learn_articles,
)
from stance.evaluation.judges import Judge, judge_by_model, judge_rows
from stance.evaluation.place import Place
from stance.evaluation.probes import read_probes
from stance.evaluation.records import Record, align, read_records
from stance.evaluation.results import CORE, Judged
from stance.own import read_own_rows
from stance.rows import Row
from stance.sets import NEED_CORPORA, SETS, read_labels, read_usable

EVALUATED = {"articles": "train", "written": "test", "layers": "test", "realnews": "test"}
"""Set to the split that is evaluated; articles are judged by models that have not seen them."""
PROBES = "probes"
OWN = "own"
"""Name of the set that is the user's own file."""
UNSEEN = "the model itself, which has not seen any of the articles"
"""Who judges the articles where no models that leave one out are needed."""

log = logging.getLogger(__name__)


def list_sets() -> tuple[str, ...]:
    """Return the names of all sets."""
    return (*SETS, PROBES, *benchmarks.list_benchmarks())


def check_known(names: Sequence[str]) -> None:
    """Raise at the first name that is no set's."""
    for name in names:
        if name not in list_sets():
            raise InputError(
                f"--sets {name}",
                expected="sets among " + ", ".join(list_sets()),
                found=name,
                remedy="Name sets separated by commas.",
            )


def check_sets(names: Sequence[str], *, has_corpora: bool) -> None:
    """Raise unless there are sets, all known and at hand, before anything long begins."""
    if not names:
        raise InputError(
            "--sets", expected="at least one set", found="none", remedy="Name one, or pass --data."
        )
    check_known(names)
    for name in names:
        if name in (*NEED_CORPORA, *benchmarks.list_benchmarks()) and not has_corpora:
            raise InputError(
                f"--sets {name}",
                expected="STANCE_CORPORA to name the folder with the corpora's texts",
                found="no such variable",
                remedy="Set it as data/README.md says, or leave the set out.",
            )


def evaluate(
    judge: Judge,
    names: Sequence[str],
    place: Place,
    *,
    own: Path | None = None,
    baselines: Sequence[str] | None = None,
    read: Mapping[str, list[Row]] | None = None,
) -> dict[str, Judged]:
    """Let the judge and the baselines judge each set.

    Of the articles a second set is made, ``articles_core``: their headlines and body without
    duplicates and page furniture.

    Args:
        judge: whoever is judged.
        names: sets of the repository, and benchmarks.
        place: where data and models are.
        own: a user's own labelled file, judged as the set ``own``, or None.
        baselines: names of the baselines; None for all that can be made, the slow ones apart.
        read: rows that were read already, by set.

    Raises:
        InputError: a set is unknown, lacks its corpora, or lacks its fold models.
    """
    if names or not own:
        check_sets(names, has_corpora=place.corpora is not None)
    read = dict(read or {})
    if own and OWN not in read:
        read[OWN] = read_own_rows(own)  # a fault of the file is better said now
    plain = [name for name in names if name in EVALUATED or name == PROBES]
    if "articles" in plain and learn_articles(judge, place):
        plain.remove("articles")
    beside = fit_for_judge(judge, place, baselines) if plain or own else Beside()
    judged: dict[str, Judged] = {}
    for name in names:
        rows = read[name] if name in read else read_set_rows(name, place)
        log.info("%s: %d rows", name, len(rows))
        who, there = None, beside
        if name in plain:
            scorers = beside.take(rows)
            records = judge_rows(judge, scorers, rows, place.corpora, bars=place.bars)
            who = UNSEEN if name == "articles" and judge.model else None
        elif name == "articles":
            records, there = judge_articles(judge, rows, place, baselines)
            who = name_folds(place) if judge.model else None
        else:
            records, there = judge_benchmark(name, rows, place, baselines)
            who = f"recipe {place.recipe.stem}, fine-tuned on the benchmark's training rows"
        records = align(rows, records, name)
        judged[name] = Judged(rows, records, who, absent=there.absent, note=there.note)
    if own:
        rows = read[OWN]
        log.info("%s: %d rows", own, len(rows))
        scorers = beside.take(rows)
        records = judge_rows(judge, scorers, rows, None, bars=place.bars, keep_text=True)
        judged[OWN] = Judged(rows, records, file=own.name, absent=beside.absent, note=beside.note)
    return add_core(judged)


def read_set_rows(name: str, place: Place) -> list[Row]:
    """Return the rows of a set, with texts.

    Raises:
        InputError: there are none.
    """
    if name == PROBES:
        rows = read_probes(place.get_data())
    elif name in EVALUATED:
        rows = read_usable(name, EVALUATED[name], place.get_data(), place.corpora).rows
    else:
        rows = benchmarks.read_rows(benchmarks.read_benchmark(name), "test", place.get_corpora())
    if not rows:
        raise InputError(
            f"set '{name}'",
            expected="at least one row",
            found="none",
            remedy="Check the data folder and STANCE_CORPORA.",
        )
    return rows


def add_core(judged: dict[str, Judged]) -> dict[str, Judged]:
    """Put the core of the articles after the articles."""
    result = {}
    for name, part in judged.items():
        result[name] = part
        if name == "articles":
            result[CORE] = pick_core(part)
    return result


def pick_core(part: Judged) -> Judged:
    """Return the rows that are neither page furniture nor a duplicate of another row."""
    kept = [
        (row, record)
        for row, record in zip(part.rows, part.records, strict=True)
        if row.fields.get("part") != "furniture" and row.fields.get("duplicate_of") is None
    ]
    return replace(part, rows=[row for row, _ in kept], records=[record for _, record in kept])


def name_folds(place: Place) -> str:
    """Return in words who judges the articles."""
    return f"models of recipe {place.recipe.stem} that have not seen the article"


def judge_articles(
    judge: Judge, rows: Sequence[Row], place: Place, baselines: Sequence[str] | None
) -> tuple[list[Record], Beside]:
    """Let models that have not seen an article judge it; a scorer judges all, its baselines do not.

    This is for models, and baselines, that are trained on articles; these without the article.

    Returns:
        The records, and what is to be said of the baselines.
    """
    records: list[Record] = []
    said = Beside()
    for document in list_articles(place):
        if judge.model is None:
            fold = replace(judge, fold=document)
        else:
            fold = judge_by_model(load_fold(place, document, judge.model))
        beside = fit_for_judge(fold, place, baselines)
        said = Beside(absent=said.absent | beside.absent, note=said.note or beside.note)
        part = [row for row in rows if row.document == document]
        records += judge_rows(fold, beside.take(rows), part, place.corpora, bars=place.bars)
    return records, said


def judge_benchmark(
    name: str, rows: Sequence[Row], place: Place, baselines: Sequence[str] | None
) -> tuple[list[Record], Beside]:
    """Let the models fine-tuned on a benchmark judge its test rows, target by target.

    Returns:
        The records, and what is to be said of the baselines.
    """
    benchmark = benchmarks.read_benchmark(name)
    records: list[Record] = []
    said = Beside()
    for target, training in benchmarks.read_training(benchmark, place.get_corpora()).items():
        model = load_tuned(place, benchmarks.name_folder(benchmark, target), training)
        part = [row for row in rows if benchmarks.name_target(row) == target]
        if part:
            meant = benchmark.describe_labels(target)
            beside = fit_for_benchmark(training, meant, place, baselines)
            said = Beside(absent=said.absent | beside.absent)
            judge = judge_by_model(model)
            records += judge_rows(judge, beside.take(part), part, None, bars=place.bars)
    return records, said


def read_judged(
    folder: Path,
    names: Sequence[str],
    data: Path | None,
    *,
    own: Path | None = None,
    corpora: Path | None = None,
) -> dict[str, Judged]:
    """Return sets with the per-row predictions of an earlier run; no model is needed.

    Args:
        folder: the folder of per-row predictions.
        names: sets of the repository, and benchmarks.
        data: the repository's data folder; None will do for a user's own file and benchmarks.
        own: the user's own file, for the set ``own``, or None.
        corpora: the corpora folder, for benchmarks alone, or None.

    Raises:
        InputError: a set has no predictions, or they fit neither the rows nor the results.
    """
    earlier = find_earlier(folder)
    names = [*names, *([OWN] if own else [])]
    lacking = [name for name in names if name not in earlier.files]
    if lacking or not names:
        there = "predictions of " + (", ".join(earlier.files) or "no set")
        raise InputError(
            f"--predictions {folder}",
            expected="per-row predictions of " + (", ".join(lacking) or "sets at hand"),
            found=there if folder.is_dir() else "no such folder",
            remedy="Name the folder beside its results.json. Of your own file, name the file too "
            "(--data); benchmarks need STANCE_CORPORA.",
        )
    judged = {}
    for name in names:
        path = earlier.files[name]
        if own and name == OWN:
            rows = read_own_rows(own)
        elif name in EVALUATED:
            rows = read_labels(Place(data).get_data(), name, EVALUATED[name])
        else:
            rows = read_set_rows(name, Place(data, corpora))
        records = align(rows, read_records(path), str(path))
        check_models(earlier, name, {record.model for record in records})
        entry = earlier.sets.get(name, {})
        judged[name] = Judged(
            rows,
            records,
            entry["judge"] if "judge" in entry else say_judge(name, records),
            file=own.name if own and name == OWN else None,
            absent=entry.get("absent", {}),
            note=entry.get("note"),
        )
    return add_core(judged)


def say_judge(name: str, records: Sequence[Record]) -> str | None:
    """Return who judged a set where no results.json tells it, if it is not the run's one judge."""
    if name in benchmarks.list_benchmarks():
        return "models fine-tuned on the benchmark's training rows"
    if all(record.fold for record in records) and len({record.model for record in records}) > 1:
        return "models that have not seen the article"
    return None
