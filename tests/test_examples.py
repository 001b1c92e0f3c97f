"""The example scripts do what they say, with the released model."""

import csv
import json
import subprocess
import sys

import pytest


def run(root, name: str, *arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, root / "examples" / name, *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_label_csv(root, tmp_path):
    out = tmp_path / "labelled.csv"
    run(root, "label_csv.py", root / "examples" / "outlets.csv", out)
    with out.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 360
    right = sum(row["stance"] == row["gold"] for row in rows)
    assert right > 0.6 * len(rows)


def test_compare_outlets(root, tmp_path):
    done = run(root, "compare_outlets.py", tmp_path)
    lines = done.stdout.splitlines()
    with (root / "examples" / "outlets.csv").open(newline="") as file:
        corpus = list(csv.DictReader(file))
    covered = 0
    for outlet in ("Harbour Post", "Northern Courier"):
        for month in ("2024-01", "2024-02", "2024-03"):
            part = [r for r in corpus if r["outlet"] == outlet and r["date"].startswith(month)]
            for label in ("favor", "against"):
                (line,) = (x for x in lines if x.startswith(f"{outlet} / {month}") and label in x)
                true = sum(row["gold"] == label for row in part) / len(part)
                low, high = (float(x) for x in line.split("[")[1].split("]")[0].split(","))
                covered += low - 0.001 <= true <= high + 0.001
    assert covered >= 10, done.stdout  # of 12 intervals of 95 %
    gaps = [x for x in lines if x.startswith("Harbour Post - Northern Courier ")]
    parts = [[r["gold"] for r in corpus if r["outlet"] == outlet]
             for outlet in ("Harbour Post", "Northern Courier")]  # fmt: skip
    for label, line in zip(("favor", "conditional", "against", "neutral"), gaps, strict=False):
        true = parts[0].count(label) / len(parts[0]) - parts[1].count(label) / len(parts[1])
        low, high = (float(x) for x in line.split("[")[1].split("]")[0].split(","))
        assert label in line
        assert low - 0.02 <= true <= high + 0.02
    assert len(gaps) == 4 + 3 * 4  # in all, and by month


@pytest.mark.slow
def test_own_labels(root, tmp_path):
    """From the released model, on invented rows: in under a minute."""
    done = run(root, "own_labels.py", root / "examples" / "own_labels.csv", tmp_path / "own")
    assert "labels no position, oppose, support" in done.stdout
    assert float(done.stdout.split("macro-F1 ")[1].split()[0]) > 0.8
    assert (tmp_path / "own" / "model" / "stance.json").is_file()
    figures = json.loads((tmp_path / "own" / "figures.json").read_text())
    assert (figures["train"], figures["test"]) == (96, 24)
    for name in ("model", "TF-IDF + linear SVM"):
        f1 = figures["systems"][name]["macro_f1"]
        assert 0 < f1["low"] <= f1["value"] <= f1["high"] <= 1


def test_faults_of_own_rows_are_said_without_a_traceback(root, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("text;label\nThey met;a\n")
    command = [sys.executable, root / "examples" / "own_labels.py", path, tmp_path / "own"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode
    assert "separated by commas" in done.stderr
    assert "Traceback" not in done.stderr
