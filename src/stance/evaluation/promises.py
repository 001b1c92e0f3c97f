"""What the reliable flag and the first stage promise, and what they keep, for the model card."""

from typing import Any

from stance.bundle import Bundle
from stance.cascade import CascadeFacts
from stance.evaluation import table


def format_reliability(summaries: dict[str, dict[str, Any]], bundle: Bundle) -> str:
    """Return what the reliable flag keeps, set by set."""
    fitted = bundle.settings.reliability
    rows = [
        [entry["title"],
         *(table.format_interval(entry["metrics"][metric], percent=True)
           for metric in ("reliable_share", "reliable_accuracy", "reliable_stance_accuracy")),
         say_kept(entry["metrics"]["reliable_accuracy"], fitted.accuracy)]
        for entry in summaries.values()
    ]  # fmt: skip
    heads = ("set", "reliable", "accuracy of these", "of these, other than neutral",
             f"{100 * fitted.accuracy:.0f} % kept")  # fmt: skip
    note = (
        f"\n\nFitted on {fitted.n} validation rows: at a confidence of {fitted.threshold:.3f} or "
        f"more, {100 * fitted.coverage:.1f} % of them, for an accuracy of "
        f"{100 * fitted.accuracy:.0f} % (one-sided Clopper-Pearson bound at "
        f"{100 * fitted.level:.0f} %, which takes rows as independent and validation rows as "
        f"representative). Temperature {bundle.settings.temperature:.3f}."
    )
    return table.format_rows(heads, rows) + note + format_cascade(bundle.settings.cascade)


def say_kept(found: dict[str, Any], promised: float) -> str:
    """Say whether an accuracy is what was promised, and whether its 95 % interval shows it."""
    if found["value"] is None:
        return "-"
    if found["value"] >= promised:
        return "yes" if found["low"] >= promised else "yes, within chance of less"
    return "no" if found["high"] < promised else "no, within chance of it"


def format_cascade(facts: CascadeFacts | None) -> str:
    """Return what ``stance score --fast`` loses, or nothing where the model has no first stage."""
    if facts is None:
        return ""
    recall, low, high = (f"{100 * value:.1f}" for value in (facts.recall, facts.low, facts.high))
    return (
        f"\n\n`stance score --fast`: the first stage passes on {recall} % [{low}, {high}] of the "
        f"{facts.n:,} real-news test rows to which the model gives a stance (threshold chosen on "
        f"validation rows) and {100 * facts.passed:.1f} % of all sentences; the rest it answers "
        "itself, as neutral and not reliable." + format_gold(facts)
    )


def format_gold(facts: CascadeFacts) -> str:
    """Return what the first stage keeps of the labelled stances, where that was measured."""
    if facts.gold is None:
        return ""
    recall, low, high = (
        f"{100 * x:.1f}" for x in (facts.gold.recall, facts.gold.low, facts.gold.high)
    )
    return (
        f" Of the {facts.gold.n:,} test rows that are labelled with a stance it passes on "
        f"{recall} % [{low}, {high}]. Intervals: bootstrap by document."
    )


def format_reliable(entry: dict[str, Any]) -> str:
    """Return what the reliable flag keeps of one set, by predicted label."""
    rows = [
        [label, str(part["n"]), table.format_interval(part["share"], percent=True),
         table.format_interval(part["accuracy"], percent=True)]
        for label, part in entry["reliable"].items()
    ]  # fmt: skip
    return table.format_rows(("predicted", "rows", "reliable", "accuracy of these"), rows)
