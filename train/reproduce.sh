#!/usr/bin/env bash
# Everything in model_card.md: the released model, those of the public benchmarks, the predictions, the
# tables; from the rows, their texts and the teacher's probabilities (data/teacher), which are
# committed because the teacher takes an hour and memory to train. Before it, texts: train/corpora.py.
# A new teacher: recipes/teacher.toml, then teach.py (train/README.md).
#
#     STANCE_CORPORA=DIR train/reproduce.sh [RUNS]
#
# RUNS (default: runs; relative to the repository) is where models and results go. What is there
# already is not trained again: a new model in RUNS/small is judged and released as it is. Each step
# goes on where it stopped. A model that is not better than the released one on real news (paired
# bootstrap) stops it before anything is replaced; RELEASE_ANYWAY="why" releases it all the same.
set -euo pipefail
export STANCE_CORPORA
STANCE_CORPORA=$(realpath -e "${STANCE_CORPORA:?set it to the folder with the texts of the corpora}")
cd "$(dirname "$0")/.."
runs=${1:-runs}
recipe=train/recipes/small.toml
released=src/stance/weights/negotiations
benchmarks=semeval2016_taska,gwsd,plover_plv
baselines=majority,keywords,holders,tfidf_svm,embedding_lr,zero_shot,setfit

# train/corpora.py fetches texts; train/fetch_benchmarks.py the benchmarks with their own labels.
# Without these the committed outcomes stay: they are the recipe's, whatever model is released.
for name in ${benchmarks//,/ }; do
	for split in train test; do
		file="$STANCE_CORPORA/public/$name/$split.jsonl.gz"
		if ! grep -q '"label"' <(gzip -dc "$file" 2>/dev/null | head -n 1); then
			echo "without the benchmarks: no labelled rows in $file (train/fetch_benchmarks.py gets them)" >&2
			benchmarks=
			break 2
		fi
	done
done

make .venv/.develop
stance=.venv/bin/stance

[ -f "$runs/small/stance.json" ] || $stance train --recipe $recipe --out "$runs/small"
# The first stage of `stance score --fast`; it belongs to the model, so it comes before all figures.
grep -q cascade.safetensors "$runs/small/stance.json" || .venv/bin/python train/cascade.py "$runs/small"

# The model has not seen the five articles (the recipe has none), so it judges them like every set. Of
# a recipe that has, models that leave one out would be trained here, in RUNS/folds.
$stance evaluate --model "$runs/small" --sets realnews,articles,layers,written,probes \
	--baselines $baselines \
	--recipe $recipe --folds "$runs/folds" --out "$runs/results.json"
# Models of the benchmarks are the recipe's, whatever model is released: made once in RUNS.
[ -z "$benchmarks" ] || [ -f "$runs/benchmarks.json" ] || $stance evaluate --model "$runs/small" \
	--sets $benchmarks --baselines $baselines --recipe train/recipes/benchmarks.toml \
	--folds "$runs/folds" --out "$runs/benchmarks.json"

.venv/bin/python train/check_release.py "$runs/results/realnews.jsonl"
cp "$runs"/results/*.jsonl data/predictions/
rm -rf $released
mkdir -p $released
cp -r "$runs"/small/. $released
rm -rf $released/training
.venv/bin/python train/judge_validation.py
.venv/bin/python benchmarks/noise.py
case $benchmarks in *gwsd*)
	.venv/bin/python examples/own_labels.py gwsd "$runs/gwsd" --plain
	cp "$runs/gwsd/figures.json" data/own_labels.json ;;
esac
.venv/bin/python train/make_card.py ${benchmarks:+--benchmarks "$runs/benchmarks.json"}
make evaluate
