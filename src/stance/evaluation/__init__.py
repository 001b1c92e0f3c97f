"""Evaluation: metrics, intervals, baselines, and the harness that runs them."""
