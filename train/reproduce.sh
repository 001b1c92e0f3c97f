#!/usr/bin/env bash
# Everything in model_card.md, from nothing: the released model, the five fold models, the
# predictions, the tables. Needs STANCE_CORPORA (see data/README.md) and `make test` run once for
# the environment. Each step goes on where it stopped; times are in train/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${STANCE_CORPORA:?set it to the folder with the texts of the corpora}"
stance=.venv/bin/stance
runs=${1:-runs}
recipe=train/recipes/small.toml

[ -f "$runs/small/stance.json" ] || $stance train --recipe $recipe --out "$runs/small"
$stance evaluate --model "$runs/small" --recipe $recipe --folds "$runs/folds" \
	--sets realnews,articles,layers,written,probes --out "$runs/results.json"
cp "$runs"/results/*.jsonl data/predictions/
rm -rf src/stance/weights/negotiations
mkdir -p src/stance/weights
cp -r "$runs/small" src/stance/weights/negotiations
rm -rf src/stance/weights/negotiations/training
make card
