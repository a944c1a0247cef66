"""Fixtures: a tiny random encoder, a tiny bundle, a small labelled folder. Nothing here is real text or a real model."""

import json
import os
import random
from pathlib import Path

import pytest

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from data.frames import load_frames

FRAMES = tuple(frame.name for frame in load_frames())
WORDS = (
    "troops soldiers army left fled town river village liberated residents planned withdrawal order rout the a of in "
    "to said enemy front line match market rain goal shares ministry held morning evening bridge road . , ' \" -"
).split()


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random two-layer BERT and a word-level tokenizer, as a user's own `base:` would be."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-base")
    vocabulary = {w: i for i, w in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(WORDS)])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture(scope="session")
def tiny_bundle(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the tiny network, untrained, with thresholds that let a third of random sentences through."""
    from dataclasses import replace

    import numpy as np
    from transformers import AutoTokenizer

    from models.bundle import CARD_FILE, ONNX_FILE, TOKENIZER_FILE, Bundle, Decision, write_bundle
    from models.network import FrameClassifier, load_encoder
    from models.predictor import Predictor
    from training.export import export_onnx, export_tokenizer
    from training.fit import Fitted

    folder = tmp_path_factory.mktemp("tiny") / "bundle"
    folder.mkdir()
    network = FrameClassifier(load_encoder(tiny_base), len(FRAMES), 0.0).eval()
    fitted = Fitted(network, AutoTokenizer.from_pretrained(str(tiny_base)), [])
    export_onnx(fitted, tiny_base, folder / ONNX_FILE)
    export_tokenizer(fitted, folder / TOKENIZER_FILE, 32)
    (folder / CARD_FILE).write_text("# Model card: tiny random model for tests\n", encoding="utf-8")
    bundle = Bundle(folder, "tiny", load_frames(), (Decision(4.0, 0.0, 0.5),) * len(FRAMES), 32)
    logits = Predictor(bundle).logits(random_sentences(200))
    decisions = tuple(Decision(4.0, float(-4 * np.quantile(logits[:, i], 0.67)), 0.5) for i in range(len(FRAMES)))
    write_bundle(replace(bundle, decisions=decisions))
    return folder


def random_sentences(n: int, seed: int = 0) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS[:-6], k=rng.randint(3, 20))).capitalize() + "." for _ in range(n)]


def labelled_row(name: str, text: str, labels: list[str], **changes: object) -> dict:
    return {
        "id": name,
        "text": text,
        "labels": labels,
        "voice": {label: {"voice": "narrator", "speaker": None} for label in labels},
        "event": "syria-war/palmyra",
        "war": "syria-war",
        "register": "wire",
        "position": "main" if labels else None,
        "phenomenon": "plain",
        "pair": None,
        "note": "made by a test",
        **changes,
    }


def write_jsonl(path: Path, rows: list) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small_labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences in which one word decides the frame, over training, validation and test events: learnt in seconds."""
    folder = tmp_path_factory.mktemp("labelled")
    cue = {"liberation": "liberated", "planned_regroup": "planned", "panicked_flight": "fled"}
    neutral = [w for w in WORDS[:-6] if w not in cue.values()]
    rng = random.Random(1)
    rows = []
    for i in range(360):
        frame = [*FRAMES, None][i % 4]
        words = rng.choices(neutral, k=rng.randint(8, 14))
        if frame:
            words.insert(rng.randrange(len(words)), cue[frame])
        war = "korean-war" if i % 7 == 0 else "syria-war"
        rows.append(
            labelled_row(
                f"t-{i:03d}", " ".join(words), [frame] if frame else [], war=war, event=f"{war}/event-{i % 37}"
            )
        )
    write_jsonl(folder / "t.jsonl", rows)
    return folder
