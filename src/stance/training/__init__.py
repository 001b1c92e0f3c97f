"""Training: the only home of torch, transformers and datasets."""
