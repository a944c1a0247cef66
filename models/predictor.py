"""From sentences to calibrated probabilities, with onnxruntime and the fast tokenizer: no torch."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Encoding, Tokenizer

from models.bundle import ONNX_FILE, TOKENIZER_FILE, Bundle, BundleError, read_bundle

# Padded tokens a batch. Past a few thousand a larger batch is no faster on a CPU, and memory grows with it.
TOKEN_BUDGET = 2048


def load_tokenizer(path: Path, max_tokens: int) -> tuple[Tokenizer, int]:
    """Read tokenizer.json, with truncation to `max_tokens`; returns it and the id of its padding token.

    It pads nothing: batches are padded here, once sentences are sorted by length. The file of all-MiniLM-L6-v2 asks for a
    fixed padding to 128 tokens, which would cost most of the speed.
    """
    tokenizer = Tokenizer.from_file(str(path))
    pad_id = (tokenizer.padding or {}).get("pad_id", 0)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer, pad_id


def pad_batch(encodings: Sequence[Encoding], pad_id: int) -> dict[str, np.ndarray]:
    """Pad encodings to the longest one: `input_ids` and `attention_mask`, each int64 (batch, tokens)."""
    width = max(len(encoding.ids) for encoding in encodings)
    ids = np.full((len(encodings), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(encodings), width), dtype=np.int64)
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding.ids)] = encoding.ids
        mask[row, : len(encoding.ids)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def batches_by_length(lengths: Sequence[int], token_budget: int) -> Iterator[np.ndarray]:
    """Yield index arrays, shortest sentences first, so that rows x longest row stays within the budget.

    A sentence longer than the budget comes alone. The order depends on nothing but `lengths`.
    """
    order = np.argsort(np.asarray(lengths, dtype=np.int64), kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or (end - start + 1) * lengths[order[end]] > token_budget:
            yield order[start:end]
            start = end


class Predictor:
    """A bundle loaded for scoring. Safe to share between threads; make one a process."""

    def __init__(self, bundle: Bundle, threads: int = 0) -> None:
        """`threads`: CPU threads for the model, 0 for all cores. Raises BundleError if onnxruntime refuses the model."""
        self.bundle = bundle
        self._tokenizer, self._pad_id = load_tokenizer(bundle.folder / TOKENIZER_FILE, bundle.max_tokens)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(bundle.folder / ONNX_FILE), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises its own pybind exceptions, which share no base class
            raise BundleError(f"{bundle.folder / ONNX_FILE}: onnxruntime cannot load it: {error}") from error
        self._slope = np.array([d.slope for d in bundle.decisions], dtype=np.float32)
        self._intercept = np.array([d.intercept for d in bundle.decisions], dtype=np.float32)
        self._threshold = np.array([d.threshold for d in bundle.decisions], dtype=np.float32)

    @classmethod
    def from_folder(cls, folder: Path | str, threads: int = 0) -> "Predictor":
        """Read, check and load the bundle in `folder`."""
        return cls(read_bundle(folder), threads)

    def logits(self, sentences: Sequence[str]) -> np.ndarray:
        """Raw logits, float32 (sentences, frames). Equal sentences are run once.

        Sentences are batched by length within the call, so the same list gives the same numbers. In another list the
        int8 model may move them a little: it scales activations by batch.
        """
        distinct = list(dict.fromkeys(sentences))
        out = np.zeros((len(distinct), len(self.bundle.frames)), dtype=np.float32)
        if distinct:
            encodings = self._tokenizer.encode_batch(distinct)
            for indices in batches_by_length([len(e.ids) for e in encodings], TOKEN_BUDGET):
                feed = pad_batch([encodings[i] for i in indices], self._pad_id)
                out[indices] = self._session.run(["logits"], feed)[0]
        position = {sentence: row for row, sentence in enumerate(distinct)}
        return out[[position[sentence] for sentence in sentences]]

    def probabilities(self, sentences: Sequence[str]) -> np.ndarray:
        """Calibrated probabilities 0..1, float32 (sentences, frames)."""
        return self.calibrate(self.logits(sentences))

    def calibrate(self, logits: np.ndarray) -> np.ndarray:
        """Platt scaling of `logits` (…, frames), float32."""
        scaled = np.clip(self._slope * logits + self._intercept, -80, 80)
        return (1 / (1 + np.exp(-scaled))).astype(np.float32)

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """Where each frame is on: bool, the shape of `probabilities`."""
        return probabilities >= self._threshold

    def frames_on(self, probabilities: np.ndarray) -> list[list[str]]:
        """For each row the names of the frames at or over their threshold, in the bundle's order."""
        names = self.bundle.frame_names
        return [[name for name, on in zip(names, row, strict=True) if on] for row in self.decide(probabilities)]

    def records(self, sentences: Sequence[str]) -> list[dict[str, object]]:
        """One record a sentence, in order: `text`, `p_<frame>` (float) and `frames` (those on)."""
        probabilities = self.probabilities(sentences)
        keys = [f"p_{name}" for name in self.bundle.frame_names]
        return [
            {"text": text, **dict(zip(keys, map(float, row), strict=True)), "frames": on}
            for text, row, on in zip(sentences, probabilities, self.frames_on(probabilities), strict=True)
        ]
