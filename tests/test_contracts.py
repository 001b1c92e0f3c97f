"""What scripts outside the repository rely on."""

import ast
import importlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import stance
from stance.errors import InputError
from stance.model import load
from stance.types import COLUMNS, LABELS, Prediction, Span

SOURCE = Path(stance.__file__).parent
TIERS = (  # from words up to doors; a module imports from its own tier or below
    {"types", "errors", "keywords", "objects"},
    {
        "actors",
        "files",
        "tables",
        "parquet",
        "inputs",
        "sources",
        "survey",
        "furniture",
        "holders",
        "phrases",
        "plain",
        "progress",
        "reference",
        "own",
        "rows",
        "layers",
        "sets",
        "selection",
        "bundle",
        "cascade",
        "cast",
        "runtime",
        "scored",
        "calibration",
        "segment",
        "spans",
        "stream",
        "unread",
        "language",
    },
    {"document", "model"},
    {
        "cluster",
        "corpus",
        "demo",
        "difference",
        "draw",
        "estimate",
        "evaluation",
        "journal",
        "labelled",
        "outputs",
        "report",
        "shards",
        "training",
    },
    {"commands", "cli"},
)


def tier_of(name: str) -> int:
    return next(i for i, names in enumerate(TIERS) if name in names)


def imported_modules(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("stance"):
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return {name for name in found if name in {n for names in TIERS for n in names}}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.name))
def test_dependencies_point_one_way(path):
    own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    for name in imported_modules(path):
        assert tier_of(name) <= tier_of(own), f"{path.name} must not import stance.{name}"


def test_only_training_imports_torch():
    heavy = {"torch", "transformers", "datasets", "accelerate", "onnx", "safetensors"}
    for path in SOURCE.rglob("*.py"):
        if "training" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in getattr(node, "names", [])]
            module = getattr(node, "module", None) if isinstance(node, ast.ImportFrom) else None
            for name in [module] if module else names if isinstance(node, ast.Import) else []:
                assert name.split(".")[0] not in heavy, f"{path}: {name}"


def test_only_runtime_imports_onnxruntime_and_tokenizers():
    for path in SOURCE.rglob("*.py"):
        if path.name in ("runtime.py",) or "training" in path.parts:
            continue
        assert "import onnxruntime" not in path.read_text()
        assert "from tokenizers" not in path.read_text()


def test_nothing_unpickles_or_runs_remote_code():
    banned = ("pickle", "joblib", "torch.load", "trust_remote_code", "evaluate.load", "dill")
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        for word in banned:
            assert word not in text, f"{path}: {word}"


def test_public_names():
    assert stance.__all__ == ["LABELS", "Analysis", "Model", "Prediction", "StanceError", "analyze",
                              "load", "predict"]  # fmt: skip
    for name in stance.__all__:
        assert getattr(stance, name) is not None
    assert LABELS == ("favor", "conditional", "against", "neutral")
    with pytest.raises(AttributeError):
        _ = stance.no_such_name


def test_import_is_light():
    script = "import sys, stance; print(sorted(m for m in sys.modules if m.startswith('stance')))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['stance']"


def test_prediction_to_dict_is_the_row_of_the_command_line():
    scores = dict.fromkeys(LABELS, 0.25)
    row = Prediction("abc", "favor", scores, 0.25, False, Span(0, 1, "a"), None, False).to_dict()
    assert list(row) == ["text", "label", "scores", "confidence", "reliable", "holder", "source",
                         "truncated"]  # fmt: skip
    assert row["holder"] == {"start": 0, "end": 1, "text": "a"}
    assert row["source"] is None
    json.dumps(row)


def test_prediction_to_columns_is_a_flat_row_of_the_stated_types():
    scores = dict.fromkeys(LABELS, 0.25)
    row = Prediction("abc", "favor", scores, 0.25, False, Span(0, 1, "a"), None, False).to_columns()
    assert list(row) == list(COLUMNS)
    assert (row["holder"], row["holder_start"], row["holder_end"]) == ("a", 0, 1)
    assert row["source"] is row["source_start"] is row["source_end"] is None
    for name, value in row.items():
        assert value is None or type(value) is COLUMNS[name]


def test_every_module_imports():
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        importlib.import_module(".".join(parts).removesuffix(".__init__"))


@pytest.fixture(scope="module")
def model(tiny_model):
    return load(tiny_model.folder, device="cpu")


def test_one_text_gives_one_prediction_and_a_list_a_list(model):
    one = model.predict("kyiv rejected talks")
    assert isinstance(one, Prediction)
    assert model.predict(["kyiv rejected talks"]) == [one]
    assert model.predict([]) == []
    assert list(model.stream(iter(["kyiv rejected talks"] * 3))) == [one] * 3


def test_scores_sum_to_one_and_label_is_the_highest(model):
    for item in model.predict(["kyiv rejected talks", "weather", "the minister urges dialogue"]):
        assert list(item.scores) == list(LABELS)
        assert sum(item.scores.values()) == pytest.approx(1)
        assert item.label == max(item.scores, key=item.scores.get)
        assert item.confidence == max(item.scores.values())
        for span in (item.holder, item.source):
            assert span is None or item.text[span.start : span.end] == span.text
        if item.label == "neutral":
            assert item.holder is None
            assert item.source is None


def test_order_and_batch_size_change_nothing(model):
    texts = [f"kyiv rejected talks {'and war ' * (i % 23)}" for i in range(60)]
    together = model.predict(texts)
    alone = [model.predict(text) for text in texts]
    backwards = model.predict(texts[::-1])[::-1]
    for a, b, c in zip(together, alone, backwards, strict=True):
        assert a.label == b.label == c.label
        for label in LABELS:
            assert a.scores[label] == pytest.approx(b.scores[label], abs=1e-5)
            assert a.scores[label] == pytest.approx(c.scores[label], abs=1e-5)


def test_blank_is_neutral_and_not_reliable(model):
    for text in ("", "   ", "\n\t", "\u00a0"):
        item = model.predict(text)
        assert (item.label, item.reliable, item.holder) == ("neutral", False, None)
        assert sum(item.scores.values()) == 1


@pytest.mark.parametrize("text", ["🕊️🤝 talks 🔥", "a\0b talks", "\ud800 talks", "x" * 5000, "\r\n"])
def test_odd_text_is_answered(model, text):
    item = model.predict(text)
    assert item.text == text
    assert item.label in LABELS


def test_long_text_is_read_to_its_end(model):
    text = "the weather report of kyiv . " * 60
    (cut,) = model.runtime.cut([text])
    windows = cut.windows
    read = {i for window in windows for start, end in window.offsets for i in range(start, end)}
    assert len(windows) > 1
    assert read == {i for i, char in enumerate(text) if not char.isspace()}
    assert not cut.truncated


def test_the_window_that_speaks_most_clearly_of_a_position_decides(model):
    text = "the weather report of kyiv . " * 30 + "moscow rejected talks , kyiv said . " * 3
    (cut,) = model.runtime.cut([text])
    alone = [model.runtime._run(window)[0] for window in cut.windows]
    clearest = min(alone, key=lambda logits: logits[3] - logits[:3].max())
    (scores,) = model.runtime.score([text])
    assert scores.logits == pytest.approx(clearest, abs=1e-4)
    assert scores.windows == len(cut.windows)


def test_megabyte_is_answered_and_truncated(model):
    item = model.predict("the weather report of kyiv . " * 36_000)
    assert item.truncated
    assert item.label in LABELS


@pytest.mark.parametrize("bad", [None, 3, ("a",), ["a", None], [b"a"]])
def test_other_types_are_refused(model, bad):
    with pytest.raises(InputError, match="expected a string"):
        model.predict(bad)


@pytest.fixture
def trusting(tiny_model):
    """The tiny model with a threshold that every prediction reaches."""
    loaded = load(tiny_model.folder, device="cpu")
    settings = loaded.bundle.settings
    lowered = replace(settings, reliability=replace(settings.reliability, threshold=0.0))
    loaded.bundle = replace(loaded.bundle, settings=lowered)
    return loaded


def test_english_is_reliable_where_the_threshold_is_reached(trusting):
    assert trusting.predict("The Kremlin rejects talks with Ukraine on a ceasefire.").reliable


@pytest.mark.parametrize(
    "text",
    [
        "Der Kreml lehnt Verhandlungen mit der Ukraine weiterhin entschieden ab.",
        "Москва отвергла переговоры о прекращении огня с Украиной.",
        "Le président appelle à la reprise immédiate des négociations de paix.",
        "基辅拒绝与莫斯科谈判",
        "Нет войне",
        "لا للمفاوضات",
        "",
        "the weather report of kyiv " * 40,  # several windows
        "\0\0",
    ],
)
def test_what_was_not_measured_is_never_reliable(trusting, text):
    assert not trusting.predict(text).reliable


def test_lone_surrogates_are_answered_whatever_the_threshold(trusting):
    assert trusting.predict("Kyiv \ud83d rejects talks with Moscow today").label in LABELS


def test_special_tokens_in_a_text_are_only_text(model):
    assert model.predict("kyiv [SEP] rejected talks").text.startswith("kyiv [SEP]")
    scores = model.runtime.score(["[SEP]", "[PAD] [CLS]"])
    assert all(len(entry.offsets) > 3 for entry in scores)


def test_stream_refuses_a_string(model):
    with pytest.raises(InputError, match="an iterable of strings"):
        next(model.stream("kyiv"))


def test_name_without_revision_is_refused():
    with pytest.raises(InputError, match="pass the revision"):
        load("someone/negotiations")
    with pytest.raises(InputError, match="no such folder"):
        load("no-such-folder")


def test_unknown_device_is_refused(tiny_model):
    with pytest.raises(InputError, match="auto, cpu or cuda"):
        load(tiny_model.folder, device="tpu")
