"""Fine-tuning the encoder with `transformers.Trainer` on a `datasets.Dataset`."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor, nn
from torch.utils.data import Sampler
from transformers import AutoTokenizer, DataCollatorWithPadding, PreTrainedTokenizerFast, Trainer, TrainingArguments
from transformers import logging as transformers_logging
from transformers.trainer_utils import EvalPrediction, set_seed

from data.sentence import LabelledSentence
from models.network import FrameClassifier, load_encoder
from training.config import Config
from training.metrics import f1_scores


@dataclass(frozen=True)
class Fitted:
    """A fine-tuned network with its tokenizer and the metrics of each epoch."""

    network: FrameClassifier
    tokenizer: PreTrainedTokenizerFast
    history: list[dict[str, float]]


class _WithLoss(nn.Module):
    """The network with its loss, in the form Trainer calls.

    Beside the frames it learns, through a second head that is thrown away afterwards, which rule of the codebook decides
    a sentence (its `phenomenon`): why a frame is off is more to learn from than that it is off. Multi-task learning
    (Caruana 1997).
    """

    def __init__(self, network: FrameClassifier, n_phenomena: int, phenomenon_weight: float) -> None:
        super().__init__()
        self.network = network
        self.phenomenon_head = nn.Linear(network.head.in_features, n_phenomena)
        self.phenomenon_weight = phenomenon_weight

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None, phenomenon: Tensor | None = None
    ) -> dict[str, Tensor]:
        pooled = self.network.pool(input_ids, attention_mask)
        logits = self.network.head(pooled).float()
        if labels is None:
            return {"logits": logits}
        loss = nn.functional.binary_cross_entropy_with_logits(logits, labels.float())
        if phenomenon is not None and self.phenomenon_weight:
            rules = self.phenomenon_head(pooled).float()
            loss = loss + self.phenomenon_weight * nn.functional.cross_entropy(rules, phenomenon)
        return {"loss": loss, "logits": logits}


# Sentences that go through the network at once. A step's sentences are sorted by length and cut into such pieces, whose
# gradients add up: hardly any padding, yet every step is a random draw. (Whole batches of one length train badly: each
# then holds one register. See training/RESULTS.md.)
PIECE = 16


class _StepsSortedInside(Sampler[int]):
    """Row numbers in a random order, in which each step's `batch_size` rows are sorted by length."""

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths = np.asarray(lengths)
        self.batch_size = batch_size
        self.rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        order = self.rng.permutation(len(self.lengths))
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            yield from rows[np.argsort(self.lengths[rows], kind="stable")].tolist()


class _StepTrainer(Trainer):
    """Trainer that draws its sentences with `_StepsSortedInside`."""

    def __init__(self, sampler: Sampler[int], **arguments: object) -> None:
        self.sampler = sampler
        super().__init__(**arguments)

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler[int]:
        return self.sampler


def label_matrix(sentences: Sequence[LabelledSentence], frames: Sequence[str]) -> np.ndarray:
    """Which frames are on: bool (sentences, frames)."""
    return np.array([[frame in s.labels for frame in frames] for s in sentences], dtype=bool).reshape(-1, len(frames))


def to_dataset(
    sentences: Sequence[LabelledSentence],
    frames: Sequence[str],
    tokenizer: PreTrainedTokenizerFast,
    max_tokens: int,
    phenomena: Sequence[str] = (),
) -> Dataset:
    """A Dataset with `input_ids`, `attention_mask`, `labels` (float, one a frame) and, if given, `phenomenon` (its number)."""
    encoded = tokenizer([s.text for s in sentences], truncation=True, max_length=max_tokens)
    columns = {
        "input_ids": encoded["input_ids"],
        "attention_mask": encoded["attention_mask"],
        "labels": label_matrix(sentences, frames).astype(np.float32).tolist(),
    }
    if phenomena:
        columns["phenomenon"] = [phenomena.index(s.phenomenon) for s in sentences]
    return Dataset.from_dict(columns)


def _computes_bf16() -> bool:
    """Whether the GPU, or else the CPU, multiplies bfloat16 natively; emulated, it is many times slower than float32."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def _optimizer(learner: _WithLoss, config: Config) -> torch.optim.Optimizer:
    """AdamW; the new heads learn `head_lr_factor` times faster; biases and layer norms are not decayed."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in learner.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = config.learning_rate * (1 if name.startswith("network.encoder.") else config.head_lr_factor)
        decay = 0.0 if parameter.ndim == 1 else config.weight_decay
        groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": ps, "lr": lr, "weight_decay": wd} for (lr, wd), ps in groups.items()], fused=True
    )


def fit(
    config: Config,
    base: Path | str,
    frames: Sequence[str],
    training: Sequence[LabelledSentence],
    validation: Sequence[LabelledSentence],
) -> Fitted:
    """Fine-tune `base` on `training`, reporting loss and macro-F1 on `validation` after each epoch.

    Every random source is seeded with `config.seed`; on one machine the same call gives the same weights.
    A GPU is used where torch finds one.
    """
    transformers_logging.set_verbosity_error()  # it reports the unused pooler at length
    set_seed(config.seed, deterministic=not torch.cuda.is_available())
    tokenizer = AutoTokenizer.from_pretrained(str(base))
    # On a CPU, SDPA with dropout is slower than plain attention.
    attention = "sdpa" if torch.cuda.is_available() else "eager"
    network = FrameClassifier(load_encoder(base, attention), len(frames), config.dropout)
    if config.freeze_embeddings:
        # Half of MiniLM's weights are word vectors: frozen, a step costs less, and names of few sentences move nothing.
        network.encoder.embeddings.requires_grad_(False)
    phenomena = sorted({s.phenomenon for s in training})
    training_set = to_dataset(training, frames, tokenizer, config.max_tokens, phenomena)
    steps = -(-len(training) // config.batch_size) * config.epochs
    learner = _WithLoss(network, len(phenomena), config.phenomenon_weight)
    optimizer = _optimizer(learner, config)

    def rate(step: int) -> float:
        """Linear warm-up, then linear decay to zero."""
        warmup = max(1.0, steps * config.warmup_share)
        return min(step / warmup, max(0.0, (steps - step) / max(1.0, steps - warmup)))

    with tempfile.TemporaryDirectory() as scratch:
        trainer = _StepTrainer(
            _StepsSortedInside([len(ids) for ids in training_set["input_ids"]], config.batch_size, config.seed),
            model=learner,
            args=TrainingArguments(
                output_dir=scratch,
                num_train_epochs=config.epochs,
                per_device_train_batch_size=min(PIECE, config.batch_size),
                gradient_accumulation_steps=max(1, config.batch_size // PIECE),
                per_device_eval_batch_size=64,
                eval_strategy="epoch" if validation else "no",
                logging_strategy="epoch",
                save_strategy="no",
                report_to="none",
                seed=config.seed,
                data_seed=config.seed,
                bf16=config.bf16 and _computes_bf16(),
                use_cpu=not torch.cuda.is_available(),
                label_names=["labels"],
                dataloader_pin_memory=torch.cuda.is_available(),
            ),
            train_dataset=training_set,
            eval_dataset=to_dataset(validation, frames, tokenizer, config.max_tokens) if validation else None,
            data_collator=DataCollatorWithPadding(tokenizer),
            optimizers=(optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, rate)),
            compute_metrics=_macro_f1,
        )
        trainer.train()
    history = [{k: float(v) for k, v in entry.items()} for entry in trainer.state.log_history]
    return Fitted(network.cpu().eval(), tokenizer, history)


def _macro_f1(prediction: EvalPrediction) -> dict[str, float]:
    on = np.asarray(prediction.predictions) >= 0  # logit 0 is probability one half
    return {"macro_f1": float(f1_scores(prediction.label_ids.astype(bool), on).mean())}


@torch.no_grad()
def network_logits(fitted: Fitted, texts: Sequence[str], max_tokens: int) -> np.ndarray:
    """The float32 torch network's logits (texts, frames), 64 sentences at a time."""
    parts = []
    for start in range(0, len(texts), 64):
        batch = fitted.tokenizer(
            list(texts[start : start + 64]), truncation=True, max_length=max_tokens, padding=True, return_tensors="pt"
        )
        parts.append(fitted.network(batch["input_ids"], batch["attention_mask"]).float().numpy())
    return np.concatenate(parts)
