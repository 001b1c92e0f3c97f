"""The report page: what stands on it, and what a browser makes of it."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest

from made import make_record, make_row
from stance.cli import main
from stance.errors import InputError
from stance.evaluation.compare import compare
from stance.evaluation.grounds import read_training_rows
from stance.evaluation.place import Place
from stance.evaluation.probes import read_probes
from stance.evaluation.records import Record, write_records
from stance.evaluation.results import Judged, read_results, write_results
from stance.evaluation.run import read_judged
from stance.evaluation.summary import summarize
from stance.evaluation.table import format_results
from stance.evaluation.texts import collect_texts
from stance.report.evaluation import build_report
from stance.report.plots import Entry, pick_even, place_forest, place_risk, round_up
from stance.rows import Row
from stance.sets import hash_rows
from stance.types import LABELS

LONG_NAME = "recipe benchmarks, fine-tuned on the training rows of each target of the benchmark"
EVIL = "<script>alert('x')</script>&\"'"


def make_set(*, pairs=False, seed=0):
    """Rows and records with everything that a page can show."""
    rng = np.random.default_rng(seed)
    rows, records = [], []
    for i in range(160):
        label = LABELS[i % 4]
        fields = {"votes": [{"annotator": a, "kind": "language model", "label": label}
                            for a in "ABC"]}  # fmt: skip
        if pairs:
            fields |= {"pair": str(i // 2), "phenomenon": f"p{i % 2}", "expected": "change"}
            fields["phenomenon"] = f"p{i // 80}"
        row_id = EVIL if i == 3 else f"r{i}"
        rows.append(Row(row_id, f"d{i // 3}", "", label, None, None, fields))
        scores = rng.dirichlet(np.ones(4))
        scores[i % 4] += 0.4
        scores = tuple((scores / scores.sum()).round(6))
        found = LABELS[int(np.argmax(scores))]
        baselines = {"majority": "neutral", "embedding_lr": LABELS[rng.integers(4)]}
        slices = {"outlet": EVIL if i % 2 else "BBC", "year": str(2022 + i % 3)}
        records.append(Record(row_id, "m", None, found, scores, True, None, None, baselines,
                              slices))  # fmt: skip
    return Judged(rows, records)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "results.json"
    judged = {"realnews": make_set(), "probes": make_set(pairs=True, seed=1)}
    other = make_set(seed=2)
    found = write_results(out, {"name": EVIL, "sha256": "0" * 64}, judged)
    found["sets"]["realnews"]["against"] = compare(
        judged["realnews"].rows, judged["realnews"].records, other.records, "other"
    )
    found["sets"]["realnews"]["judge"] = LONG_NAME
    found["sets"]["realnews"]["benchmark"] = {
        "title": "A benchmark", "metric": "macro_f1_three", "paper": "p", "source": "s",
        "version": "v", "licence": "l", "labels": {"favor": "agree"},
        "published": [{"system": "somebody", "value": 0.7, "source": "there"}],
    }  # fmt: skip
    return found


@pytest.fixture(scope="module")
def page(results):
    return build_report(results, {"realnews": {"r1": "A statement of row one."}})


class Reader(HTMLParser):
    """Collects ids, links to them, and what refers to a title."""

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.labelled, self.outside = [], [], [], []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        if found.get("href", "").startswith("#"):
            self.links.append(found["href"][1:])
        for name in ("aria-labelledby", "aria-describedby"):
            self.labelled += found.get(name, "").split()
        for name in ("src", "href"):
            if found.get(name, "#")[0] != "#" and not found[name].startswith("data:"):
                self.outside.append(found[name])


def test_page_holds_itself_together(page):
    reader = Reader()
    reader.feed(page)
    assert reader.outside == []
    assert len(set(reader.ids)) == len(reader.ids)
    assert set(reader.links) <= set(reader.ids)
    assert set(reader.labelled) <= set(reader.ids)
    assert "<script" not in page
    assert "url(" not in page


def test_page_shows_what_results_hold(page, results):
    entry = results["sets"]["realnews"]
    value = entry["metrics"]["macro_f1"]
    assert f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]" in page
    for words in ("Comparison", "Against the other run", "McNemar p =", "Probes by phenomenon",
                  "Beside published figures", f"judged by {LONG_NAME}.",
                  "somebody", "Slices, the worst first", "Confusion",
                  "frozen encoder + logistic regression", "one annotator (language model)",
                  f"{len(entry['misread'])} rows with another label"):  # fmt: skip
        assert words in page, words


def test_page_says_what_was_compared_and_on_what(results):
    entry = results["sets"]["realnews"]
    against = {**entry["against"], "run": "runs/other.json", "other": ["f" * 64]}
    against["difference"]["polarity_flip_rate"] = {"value": -0.1, "low": -0.2, "high": 0.0}
    entry = {**entry, "benchmark": None, "file": "mine.csv", "against": against}
    page = build_report({**results, "sets": {"own": entry}}, {})
    assert "own (mine.csv)</h2>" in page
    assert "The other is runs/other.json, SHA-256 ffffffffffff." in page
    assert "-10.0 points [-20.0, " in page
    for name in ("polarity flips", "calibration error", "Brier score", "area under risk-coverage"):
        assert f"{name} (lower is better)" in page
    assert "accuracy (lower" not in page
    plot = page.split("Paired difference by metric")[1].split("</svg>")[0]
    zero = [tuple(map(float, ends)) for ends in re.findall(r'"axis".* y1="(.*?)" y2="(.*?)"', plot)]
    names = [float(y) for y in re.findall(r'<text x="2" y="(.*?)"', plot)]
    assert len(zero) == len(against["difference"])
    assert not [y for y in names if any(low < y < high for low, high in zero)]
    printed = format_results({"sets": {"own": entry}})
    assert "own (mine.csv): 160 rows of 54 documents" in printed
    assert "The other is runs/other.json" in printed


def test_statements_are_shown_where_they_are_given(results, page):
    misread = results["sets"]["realnews"]["misread"][0]["id"]
    shown = build_report(results, {"realnews": {misread: f"Here {EVIL} it is."}})
    assert "Here &lt;script&gt;" in shown
    assert '<th scope="col">statement</th>' in shown
    assert '<th scope="col">statement</th>' not in build_report(results, {})


def test_slices_are_read_with_caution(page):
    assert "Of many slices, the worst first, some look bad by chance" in page


def test_one_row_without_a_statement_does_not_hide_those_of_the_others(results):
    title, entry = next(
        (title, entry) for title, entry in results["sets"].items() if len(entry["misread"]) > 1
    )
    page = build_report(results, {title: {entry["misread"][1]["id"]: "They <met> for talks."}})
    assert "They &lt;met&gt; for talks." in page


def test_values_without_interval_and_perfect_results_are_drawn(tmp_path):
    rows = [Row(str(i), "only", "", LABELS[i % 4], None, None, {}) for i in range(8)]
    records = [
        Record(row.id, "m", None, row.label, tuple(float(row.label == x) for x in LABELS), None,
               None, None, {})
        for row in rows
    ]  # fmt: skip
    judged = {"own": Judged(rows, records)}
    found = write_results(tmp_path / "r.json", {"name": "x", "sha256": None}, judged)
    page = build_report(found, {})
    assert "one document gives none" in page
    assert "8 rows of 1 document;" in page
    assert "<p>None.</p>" in page
    assert "nan" not in page.lower()


def test_forest_axis():
    interval = {"value": 0.5, "low": 0.4, "high": 0.6}
    plain = place_forest([Entry("a", interval, "t")])
    assert [tick.label for tick in plain.ticks] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert plain.bars[0].low < plain.bars[0].at < plain.bars[0].high
    signed = place_forest([Entry("a", {"value": -0.03, "low": -0.04, "high": 0.01}, "t")],
                          signed=True)  # fmt: skip
    assert [tick.label for tick in signed.ticks] == ["-0.05", "-0.025", "0", "+0.025", "+0.05"]
    assert signed.bars[0].at < signed.zero < signed.bars[0].high
    assert round_up(0) == 0.01


def test_baselines_of_other_rows_are_said_wherever_they_are_shown(tiny_data, tmp_path):
    settings = SimpleNamespace(name="small", data={"written/train": "x"}, left_out=None,
                               recipe={"data": {"release": False}})  # fmt: skip
    model = SimpleNamespace(bundle=SimpleNamespace(settings=settings))
    rows, note = read_training_rows(model, Place(tiny_data))
    assert note == "baselines were trained on rows that have changed since small was made"
    settings.data["written/train"] = hash_rows(rows)
    assert read_training_rows(model, Place(tiny_data)) == (rows, None)
    settings.data["layers/train"] = "x"
    assert "fewer rows than small" in read_training_rows(model, Place(tiny_data))[1]
    probes = read_probes(tiny_data)
    judged = {"probes": Judged(probes, [make_record(r.id, r.label) for r in probes], note=note)}
    found = write_results(tmp_path / "r.json", {"name": "x", "sha256": None}, judged)
    assert found["sets"]["probes"]["note"] == note
    assert note in format_results(found)
    assert note in build_report(found, {})
    assert read_judged(tmp_path / "r", ["probes"], tiny_data)["probes"].note == note


def test_a_curve_has_each_coverage_once_and_a_few_are_said():
    rows = [make_row(i) for i in range(100)]
    labels = [make_record(i, "favor" if i < 90 else "against") for i in range(100)]
    assert [p["coverage"] for p in summarize(rows, labels)["risk_coverage"]] == [1.0]
    sure = [replace(record, scores=(0.5 + i / 300, 0.5 - i / 300, 0.0, 0.0))
            for i, record in enumerate(labels)]  # fmt: skip
    curve = place_risk(summarize(rows, sure)["risk_coverage"])
    assert len(curve.points) == 50
    said = [point.text for point in pick_even(curve.points)]
    assert len(said) == 5
    assert said[0].startswith("the most confident 2 %")
    assert said[-1] == "the most confident 100 %: error rate 0.100"


def test_a_long_name_is_wrapped_not_cut():
    interval = {"value": 0.5, "low": 0.4, "high": 0.6}
    (bar,) = place_forest([Entry(LONG_NAME, interval, "0.500 [0.400, 0.600]")]).bars
    assert " ".join(line for _, line in bar.lines) == LONG_NAME
    assert max(len(line) for _, line in bar.lines) <= 40
    assert bar.text_y > bar.lines[-1][0] or len(bar.lines[-1][1]) <= 20
    (short,) = place_forest([Entry("a", interval, "0.5")]).bars
    assert (short.lines, short.text_y) == ([(13.0, "a")], 13.0)


def test_command(results, tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(results))
    command = [sys.executable, "-m", "stance.cli", "report", str(tmp_path / "results.json")]
    out = tmp_path / "report.html"
    done = subprocess.run([*command, "--out", out], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert out.read_text().startswith("<!DOCTYPE html>")
    (tmp_path / "results.json").write_text('{"schema": 1, "sets": {}}')
    done = subprocess.run([*command, "--out", out], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no sets" in done.stderr


def test_the_page_does_not_take_the_place_of_the_results(results, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results))
    assert main(["report", "results.json", "--out", str(path)]) == 2
    assert "another name than that of the results" in capsys.readouterr().err
    assert json.loads(path.read_text()) == results


def test_results_that_do_not_fit_are_refused_and_say_what_to_do(results, tmp_path):
    path = tmp_path / "results.json"
    whole = json.dumps(results)
    for cut, found in (
        (lambda r: r["sets"]["realnews"].pop("slices"), "realnews.*of slices"),
        (lambda r: r["sets"]["realnews"].update(n="many"), "realnews.*of n"),
        (lambda r: r["sets"].update(realnews=[]), "realnews.*of n, documents"),
        (lambda r: r.pop("environment"), "of environment"),
    ):
        changed = json.loads(whole)
        cut(changed)
        path.write_text(json.dumps(changed))
        with pytest.raises(InputError, match=f"{found}.*--predictions"):
            read_results(path)
    for cut in (
        lambda r: r["sets"]["realnews"]["metrics"].pop("macro_f1"),
        lambda r: r["sets"]["realnews"]["slices"][0].pop("accuracy"),
        lambda r: r["environment"].pop("packages"),
        lambda r: r["sets"]["realnews"]["misread"][0].update(scores=None),
    ):
        changed = json.loads(whole)
        cut(changed)
        with pytest.raises(InputError, match="the figures that stance evaluate"):
            build_report(changed, {})


def test_a_page_stays_readable_whatever_is_misread(results):
    changed = json.loads(json.dumps(results))
    row = changed["sets"]["realnews"]["misread"][0]
    changed["sets"]["realnews"]["misread"] = [row] * 30_000
    page = build_report(changed, {"realnews": {row["id"]: "x" * 10**6}})
    assert (
        "30000 rows with another label than gold, the most confident first; the first 1000" in page
    )
    assert len(page) < 2 * 10**6


def test_statements_come_from_the_data_or_the_users_own_records(tiny_data, tmp_path):
    own = Record("1", "m", None, "favor", (1.0, 0.0, 0.0, 0.0), None, None, None, {}, {}, "Mine.")
    write_records(tmp_path / "own.jsonl", [own])
    results = {"sets": dict.fromkeys(["written", "probes", "articles_core", "own", "realnews"])}
    found = collect_texts(results, tmp_path, tiny_data, None)
    assert found["own"] == {"1": "Mine."}
    assert found["written"]["test-favor-0"] == "kyiv urges dialogue , moscow said"
    assert found["probes"]["verb-0/b"] == "kyiv rejected talks ."
    assert found["articles_core"]["one-0"] == "kyiv rejected talks ."
    assert "realnews" not in found  # no corpora
    assert collect_texts(results, tmp_path, None, None) == {"own": {"1": "Mine."}}


# In Chromium

SIZES = {"phone": 360, "desk": 1100}


@pytest.fixture
def opened(browser, page, tmp_path, request):
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    view = browser.new_page(viewport={"width": request.param, "height": 800}, offline=True)
    view.complaints = []
    view.on("console", lambda message: view.complaints.append(message.text))
    view.on("pageerror", lambda error: view.complaints.append(str(error)))
    view.on("request", lambda call: view.complaints.extend(
        [] if call.url.startswith(("file:", "data:")) else [call.url]
    ))  # fmt: skip
    view.goto(path.as_uri())
    yield view
    view.close()


both = pytest.mark.parametrize("opened", SIZES.values(), ids=SIZES, indirect=True)


def spoil(entry, place, value):
    """Change or, with None, take out a figure of a set; return the set."""
    *path, last = place.split(".")
    part = entry
    for key in path:
        part = part[key]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return entry


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [("metrics.macro_f1", {"value": 17.0, "low": -3.0, "high": 99.0}, r"metrics.macro_f1 17.0 \["),
     ("metrics.accuracy", {"value": 0.5, "low": 0.6, "high": 0.4}, "metrics.accuracy 0.5"),
     ("metrics.accuracy.value", float("nan"), "nan"), ("coverage", None, "no coverage"),
     ("reliability", [{"n": 1, "confidence": float("inf"), "accuracy": 0.5}], "inf"),
     ("per_label", {}, "per_label of no label")],
)  # fmt: skip
def test_impossible_or_partial_results_make_no_page(results, tmp_path, place, value, words):
    found = json.loads(json.dumps(results))
    spoil(found["sets"]["probes"], place, value)
    path = tmp_path / "results.json"
    path.write_text(json.dumps(found))
    with pytest.raises(InputError, match=words):
        read_results(path)


def test_a_set_of_an_unsafe_name_makes_no_page(results, tmp_path):
    path = tmp_path / "results.json"
    sets = {"a/../b c": results["sets"]["probes"]}
    path.write_text(json.dumps({**results, "sets": sets}))
    with pytest.raises(InputError, match="a set of the name"):
        read_results(path)


def test_results_as_written_are_possible(results, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results))
    assert read_results(path)["sets"].keys() == results["sets"].keys()


@pytest.mark.browser
@both
def test_every_plot_is_there_and_nothing_complains(opened):
    assert opened.complaints == []
    assert opened.title().startswith("Evaluation of")
    plots = opened.locator("svg")
    # realnews: comparison, published, against, reliability, risk; probes: comparison, phenomena,
    # reliability, risk
    assert plots.count() == 9
    for i in range(plots.count()):
        box = plots.nth(i).bounding_box()
        assert box["width"] > 250
        assert box["height"] > 80
        assert plots.nth(i).get_attribute("role") == "img"
        drawn = plots.nth(i).locator("line, circle, rect, polyline").count()
        assert drawn > 5


@pytest.mark.browser
@both
def test_page_fits_its_width_and_letters_can_be_read(opened):
    width = opened.viewport_size["width"]
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    sizes = opened.evaluate(
        """[...document.querySelectorAll('svg text')].map(text => {
            const matrix = text.getScreenCTM();
            return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(matrix.a, matrix.b);
        })"""
    )
    assert min(sizes) >= 10
    collisions = opened.evaluate(
        """[...document.querySelectorAll('svg g')].filter(group => {
            const names = [...group.querySelectorAll('text')]
                .map(text => text.getBoundingClientRect());
            const digits = names.pop();
            return names.some(name => name.right > digits.left && name.bottom > digits.top + 2
                && digits.bottom > name.top + 2);
        }).length"""
    )
    assert collisions == 0


@pytest.mark.browser
@both
def test_no_word_of_a_plot_is_cut(opened):
    cut = opened.evaluate(
        """[...document.querySelectorAll('svg')].flatMap(svg => {
            const frame = svg.getBoundingClientRect();
            return [...svg.querySelectorAll('text')].filter(text => {
                const box = text.getBoundingClientRect();
                return box.left < frame.left - 0.5 || box.right > frame.right + 0.5
                    || box.top < frame.top - 0.5 || box.bottom > frame.bottom + 0.5;
            }).map(text => text.textContent);
        })"""
    )
    assert cut == []
    names = opened.locator("svg g text").all_text_contents()
    assert not any("…" in name for name in names)
    assert "frozen encoder + logistic regression" in re.sub(r"\s+", " ", " ".join(names))


@pytest.mark.browser
@pytest.mark.parametrize("opened", [SIZES["phone"]], indirect=True)
def test_keyboard_and_screen_reader(opened):
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.textContent") == "Skip to the figures"
    reached = set()
    for _ in range(60):
        opened.keyboard.press("Tab")
        reached.add(opened.evaluate(
            "document.activeElement.tagName + ' ' + (document.activeElement.ariaLabel || '')"
        ))  # fmt: skip
    assert "SUMMARY " in reached
    assert "DIV Overview of the sets" in reached
    summary = opened.locator("summary").first
    summary.focus()
    opened.keyboard.press("Enter")
    assert opened.locator("details").first.get_attribute("open") is not None
    told = opened.locator("body").aria_snapshot()
    assert 'region "Overview of the sets"' in told
    assert re.search(r'img "Macro-F1 of each system on realnews', told)
    descriptions = opened.evaluate(
        "[...document.querySelectorAll('svg')].map(svg => document.getElementById("
        "svg.getAttribute('aria-describedby')).textContent)"
    )
    assert len(descriptions) == 9
    assert all(re.search(r"\d\.\d", words) for words in descriptions)  # the figures, in words


@pytest.mark.browser
@pytest.mark.parametrize("opened", [SIZES["desk"]], indirect=True)
def test_print_opens_what_is_folded(opened, tmp_path):
    opened.emulate_media(media="print")
    assert opened.locator("table.misread").first.bounding_box()["height"] > 100
    pages = opened.pdf(format="A4")
    assert pages.startswith(b"%PDF")
    assert len(pages) > 50_000
