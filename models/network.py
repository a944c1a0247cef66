"""The torch network: an encoder, mean pooling, one logit a frame. Only training imports this file."""

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel


class FrameClassifier(nn.Module):
    """Encoder -> mean over the sentence's tokens -> dropout -> linear layer with one logit a frame.

    Mean pooling is what all-MiniLM-L6-v2 was trained with (Reimers & Gurevych 2019, Sentence-BERT).
    """

    def __init__(self, encoder: nn.Module, n_frames: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(encoder.config.hidden_size, n_frames)

    def pool(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """One vector a sentence, (batch, hidden), from int64 (batch, tokens) ids and 0/1 mask; dropout applied."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(states.dtype)
        return self.dropout((states * weights).sum(1) / weights.sum(1).clamp(min=1))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits, float32 (batch, n_frames), from int64 (batch, tokens) ids and 0/1 mask."""
        return self.head(self.pool(input_ids, attention_mask))


def load_encoder(base: Path | str, attention: str = "sdpa") -> nn.Module:
    """The pretrained encoder in folder (or hub id) `base`, float32, without its pooler.

    `attention="eager"` is what ONNX export needs: onnxruntime finds nothing to fuse in an SDPA graph.
    Only safetensors weights are read, never a pickle.
    """
    return AutoModel.from_pretrained(
        str(base), attn_implementation=attention, dtype=torch.float32, use_safetensors=True, add_pooling_layer=False
    )


def empty_encoder(base: Path | str, attention: str = "eager") -> nn.Module:
    """The same encoder with random weights, to load trained ones into."""
    config = AutoConfig.from_pretrained(str(base), attn_implementation=attention)
    return AutoModel.from_config(config, add_pooling_layer=False)
