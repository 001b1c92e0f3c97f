"""One encoder with two heads: stance on the sentence, holder and source on the tokens."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from stance.training.data import NO_TARGET

TAGGER = "tagger.safetensors"
SPAN_CHANNELS = ("holder_start", "holder_end", "source_start", "source_end")
"""Order of the tagger's four scores per token."""


class StanceNetwork(nn.Module):
    """A stock sequence classifier plus a linear tagger on its last hidden states.

    The tagger gives four scores per token; a softmax over the tokens makes each a pointer.
    Position 0, the first special token, means "not named". The classifier is stock, so that
    the exported folder loads with ``AutoModelForSequenceClassification`` alone.

    Args:
        classifier: a stock model for sequence classification.
        label_weights: weight of each label in the loss, or None for equal ones.
        label_smoothing: share of probability moved to the other labels, 0 to 1.
        span_weight: weight of the span loss beside the stance loss.
        focal: exponent of the focal loss, 0 for none.
    """

    def __init__(
        self,
        classifier: PreTrainedModel,
        *,
        label_weights: tuple[float, ...] | None = None,
        label_smoothing: float = 0.0,
        span_weight: float = 0.0,
        focal: float = 0.0,
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self.tagger = nn.Linear(classifier.config.hidden_size, len(SPAN_CHANNELS))
        self.label_smoothing = label_smoothing
        self.span_weight = span_weight
        self.focal = focal
        self.label_weights: Tensor | None
        weights = torch.tensor(label_weights) if label_weights else None
        self.register_buffer("label_weights", weights, persistent=False)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor | None = None,
        span_targets: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Score a batch.

        Args:
            input_ids: token ids, (batch, tokens).
            attention_mask: 1 for tokens, 0 for padding, (batch, tokens).
            labels: label ids, (batch,), or probabilities, (batch, labels); with them the loss is
                returned too.
            span_targets: token positions by channel, (batch, 4); ``NO_TARGET`` to skip.

        Returns:
            ``logits`` (batch, labels), ``spans`` (batch, tokens, 4) and perhaps ``loss`` ().
        """
        output = self.classifier(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True
        )
        spans = self.tagger(output.hidden_states[-1])
        scores = {"logits": output.logits, "spans": spans}
        if labels is None:
            return scores
        loss = self.stance_loss(output.logits.float(), labels)
        if span_targets is not None:
            loss = loss + self.span_weight * span_loss(spans, attention_mask, span_targets)
        return {"loss": loss, **scores}

    def stance_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy, (); a focal one weighs rows by how little they are known.

        Focal (Lin et al. 2017): each row's cross-entropy, weight and smoothing included, times
        (1 - probability of its label) to the power ``focal``, averaged over rows.
        """
        losses = functional.cross_entropy(
            logits,
            labels,
            weight=self.label_weights,
            label_smoothing=self.label_smoothing,
            reduction="none" if self.focal else "mean",
        )
        if not self.focal:
            return losses
        gold = labels if labels.is_floating_point() else functional.one_hot(labels, logits.shape[1])
        missing = 1 - (logits.softmax(dim=1) * gold).sum(dim=1)
        return (missing.clamp(min=0) ** self.focal * losses).mean()


def read_network(folder: Path) -> StanceNetwork:
    """Return the network of a model folder, in float32."""
    network = StanceNetwork(AutoModelForSequenceClassification.from_pretrained(folder))
    network.tagger.load_state_dict(load_file(folder / TAGGER))
    return network.float().eval()


def load_tagger(network: StanceNetwork, folder: Path) -> bool:
    """Take over the tagger of a model folder; say whether it has one."""
    path = folder / TAGGER
    if path.is_file():
        network.tagger.load_state_dict(load_file(path))
    return path.is_file()


def span_loss(spans: Tensor, attention_mask: Tensor, span_targets: Tensor) -> Tensor:
    """Cross-entropy of the pointers over the tokens, averaged over rows that have targets."""
    masked = spans.float().masked_fill(attention_mask.unsqueeze(-1) == 0, -1e4)
    kept = span_targets != NO_TARGET
    losses = functional.cross_entropy(
        masked.transpose(1, 2).reshape(-1, masked.shape[1]),
        span_targets.reshape(-1),
        ignore_index=NO_TARGET,
        reduction="sum",
    )
    return losses / kept.sum().clamp(min=1)
