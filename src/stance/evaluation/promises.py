"""What the reliable flag and the first stage promise, and what they keep, for the model card."""

from typing import Any

from stance.bundle import Bundle, Reliability
from stance.calibration import Calibration
from stance.cascade import CascadeFacts
from stance.evaluation import table
from stance.types import NEUTRAL

SHARES = {
    "reliable_share": "reliable",
    "reliable_accuracy": "accuracy of these",
    "reliable_stance_accuracy": "of these, other than neutral",
    NEUTRAL: "of these, neutral",
}
WHOSE = {
    "reliable_accuracy": "all",
    "reliable_stance_accuracy": "other than neutral",
    NEUTRAL: "neutral",
}


def format_reliability(summaries: dict[str, dict[str, Any]], bundle: Bundle) -> str:
    """Return what the reliable flag keeps, set by set."""
    fitted = bundle.settings.reliability
    promised = (
        {"reliable_stance_accuracy": fitted.accuracy, NEUTRAL: fitted.neutral.accuracy}
        if fitted.neutral
        else {"reliable_accuracy": fitted.accuracy}
    )
    rows = []
    for entry in summaries.values():
        found = entry["metrics"] | {NEUTRAL: entry["reliable"][NEUTRAL]["accuracy"]}
        shares = [table.format_interval(found[name], percent=True) for name in SHARES]
        kept = [say_kept(found[name], accuracy) for name, accuracy in promised.items()]
        rows.append([entry["title"], *shares, *kept])
    heads = (
        "set", *SHARES.values(),
        *(f"{100 * accuracy:.0f} % kept, {WHOSE[name]}" for name, accuracy in promised.items()),
    )  # fmt: skip
    note = (
        f"\n\nFitted on {fitted.n} validation rows, {100 * fitted.coverage:.1f} % of which are "
        f"reliable: {say_thresholds(fitted)} (Clopper-Pearson, one-sided, at "
        f"{100 * fitted.level:.0f} %, which takes rows as independent and validation rows as "
        f"representative; they chose the epoch and the recipe too). "
        f"{say_calibration(bundle.settings.calibration)}"
    )
    return table.format_rows(heads, rows) + note + format_cascade(bundle.settings.cascade)


def say_reliable(entry: dict[str, Any]) -> str:
    """Say how many statements of a set are reliable, and how many of these are right."""
    share, right, stances = (
        table.format_interval(entry["metrics"][name], percent=True)
        for name in ("reliable_share", "reliable_accuracy", "reliable_stance_accuracy")
    )
    none = [f"`{label}`" for label, part in entry["reliable"].items()
            if part["share"]["value"] == 0]  # fmt: skip
    never = f" {' and '.join(none)} never is." if none else ""
    return (
        f"`reliable` marks {share} of the statements on {entry['title']}; {right} of these are "
        f"right, {stances} of those read as a stance.{never}"
    )


def say_calibration(calibration: Calibration) -> str:
    """Say what makes probabilities of logits."""
    said = f"Temperature {calibration.temperature:.3f}"
    if calibration.curves is None:
        return said + "."
    kinds = (("a stance", calibration.curves.stances), ("`neutral`", calibration.curves.neutral))
    knots = (
        f"where {kind} is read {', '.join(map(say_knot, curve.confidence, curve.accuracy))}"
        for kind, curve in kinds
    )
    return f"{said}, then the confidence on lines between knots: {'; '.join(knots)}."


def say_knot(confidence: float, accuracy: float) -> str:
    """Say what a confidence becomes."""
    return f"{confidence:.3f} to {accuracy:.3f}"


def say_thresholds(fitted: Reliability) -> str:
    """Say from which confidence on a prediction is reliable, and what for."""
    own = f"a confidence of {fitted.threshold:.3f} or more for an accuracy of "
    own += f"{100 * fitted.accuracy:.0f} %"
    if fitted.neutral is None:
        return own
    return (
        f"{own} where a stance is read, {fitted.neutral.threshold:.3f} or more for "
        f"{100 * fitted.neutral.accuracy:.0f} % where it is `neutral`, both together"
    )


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
