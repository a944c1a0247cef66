"""Bundles: what is read is what was written, and every fault is named before any work."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import FRAMES, random_sentences

from models.bundle import CARD_FILE, META_FILE, ONNX_FILE, BundleError, read_bundle
from models.locate import locate
from models.predictor import Predictor

ROOT = Path(__file__).parent.parent


@pytest.fixture
def copy(tiny_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))


def change_meta(folder: Path, **changes: object) -> None:
    meta = json.loads((folder / META_FILE).read_text(encoding="utf-8"))
    (folder / META_FILE).write_text(json.dumps(meta | changes), encoding="utf-8")


def test_a_bundle_reads_back(tiny_bundle: Path):
    bundle = read_bundle(tiny_bundle)
    assert bundle.frame_names == FRAMES
    assert bundle.max_tokens == 32 and list(bundle.thresholds) == list(FRAMES)


@pytest.mark.parametrize("name", [ONNX_FILE, CARD_FILE, "tokenizer.json"])
def test_an_altered_file_is_refused_by_name(copy: Path, name: str):
    with (copy / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(BundleError, match=f"{name}: does not match its hash"):
        read_bundle(copy)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema_version": 99}, "schema_version 99"),
        ({"files": {"../../etc/passwd": "0"}}, "'files' must list exactly"),
        ({"frames": []}, "'frames'"),
        ({"frames": [{"name": "a", "title": "A", "definition": "d"}]}, "slope, intercept and threshold"),
        ({"max_tokens": "many"}, "max_tokens"),
    ],
)
def test_a_bad_bundle_json_is_refused_with_the_reason(copy: Path, changes: dict, reason: str):
    change_meta(copy, **changes)
    with pytest.raises(BundleError, match=reason):
        read_bundle(copy)


def test_no_bundle_names_the_remedy(tmp_path: Path):
    with pytest.raises(BundleError, match="make train"):
        read_bundle(tmp_path)


def test_a_model_that_onnxruntime_cannot_load_is_a_clear_error(copy: Path):
    (copy / ONNX_FILE).write_bytes(b"not a model")
    import models.bundle as module

    change_meta(copy, files={n: module.file_sha256(copy / n) for n in module.FILES})
    with pytest.raises(BundleError, match="onnxruntime cannot load it"):
        Predictor.from_folder(copy)


def test_probabilities_do_not_depend_on_the_order_of_the_list(tiny_bundle: Path):
    predictor = Predictor.from_folder(tiny_bundle)
    sentences = random_sentences(50)
    straight, turned = predictor.probabilities(sentences), predictor.probabilities(sentences[::-1])[::-1]
    assert straight.shape == (50, len(FRAMES)) and straight.dtype == np.float32
    assert np.abs(straight - turned).max() < 0.05
    assert ((straight >= 0) & (straight <= 1)).all()


def test_no_sentence_gives_no_row(tiny_bundle: Path):
    assert Predictor.from_folder(tiny_bundle).probabilities([]).shape == (0, len(FRAMES))


def test_without_a_registry_the_released_bundle_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("models.locate.REGISTRY_FILE", tmp_path / "none.db")
    assert locate().spec == "models/released"


# The released bundle itself.


def test_the_released_bundle_is_whole_small_and_says_how_it_was_made():
    bundle = read_bundle(ROOT / "models" / "released")
    assert sum(f.stat().st_size for f in bundle.folder.iterdir()) < 30e6
    assert {"command", "commit", "dataset_hash", "base_sha256", "run_id"} <= set(bundle.provenance)
    card = (bundle.folder / CARD_FILE).read_text(encoding="utf-8")
    assert str(bundle.provenance["commit"]) in card and str(bundle.provenance["command"]) in card


def test_the_released_bundle_tells_the_plainest_sentences_apart():
    from serving import Scorer

    scored = Scorer.load(str(ROOT / "models" / "released")).score(
        [
            "The soldiers fled in panic, throwing away their rifles.",
            "The town was liberated and residents wept with joy.",
            "Under the accord the last contingent is to leave the island by the first of March, in three stages.",
            "The last contingent has left the island.",
            "The bakery on the corner sells bread until noon.",
        ]
    )
    on = [r["frames"] for r in scored]
    assert "panicked_flight" in on[0] and "liberation" in on[1] and "planned_regroup" in on[2]
    assert on[3] == on[4] == []
