"""The whole line on a tiny network: train, gate, promote, retrain, release, score, and MLflow in a fresh process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from conftest import FRAMES, write_jsonl

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, small_labelled: Path) -> Path:
    """A folder with a test config and, after `run`, a registry of its own."""
    folder = tmp_path_factory.mktemp("home")
    config = yaml.safe_load((ROOT / "training" / "configs" / "default.yaml").read_text(encoding="utf-8"))
    config |= {
        "base": str(tiny_base), "base_sha256": None, "labelled": str(small_labelled), "measure": [],
        "learning_rate": 3.0e-3, "head_lr_factor": 1, "epochs": 8, "batch_size": 16, "max_tokens": 32, "bf16": False,
    }  # fmt: skip
    config["gate"] = {
        "max_macro_f1_drop": 1.0, "min_frame_f1": 0.0, "max_ece": 1.0, "min_int8_agreement": 0.0,
        "min_behaviour": 0.0, "retrain_margin": 0.005,
    }  # fmt: skip
    (folder / "tiny.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder


def run(home: Path, *command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    """A command in a process of its own, with the registry of `home`."""
    env = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{home}/mlflow.db"}
    return subprocess.run([sys.executable, *command], cwd=cwd, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def champion(home: Path) -> Path:
    """The registry after a first `retrain`: version 1 is champion."""
    done = run(home, "-m", "training", "retrain", "--config", str(home / "tiny.yaml"))
    assert done.returncode == 0, done.stderr
    assert "promoted: version 1" in done.stdout
    return home


def test_the_first_retrain_promotes_with_evidence(champion: Path):
    evidence = json.loads((champion / "gate" / "version-1.json").read_text(encoding="utf-8"))
    assert evidence["promoted"] and not evidence["forced"]
    assert {c["name"] for c in evidence["checks"]} >= {f"F1 of {f}" for f in FRAMES} | {"int8 agreement with fp32"}
    assert evidence["candidate"]["macro_f1"] > 0.5  # one word decides: a network that learns finds it


def test_nothing_changed_keeps_the_champion_without_training(champion: Path):
    done = run(champion, "-m", "training", "retrain", "--config", str(champion / "tiny.yaml"))
    assert done.returncode == 3, done.stderr
    assert "nothing changed since champion version 1" in done.stdout


def test_an_equal_model_keeps_the_champion(champion: Path):
    done = run(champion, "-m", "training", "retrain", "--always", "--config", str(champion / "tiny.yaml"))
    assert done.returncode == 3, done.stderr
    assert "not better by more than the margin" in done.stdout
    evidence = json.loads((champion / "gate" / "version-2.json").read_text(encoding="utf-8"))
    assert not evidence["promoted"] and evidence["champion_before"] == "1"
    # The same data, config and seed give the same model: its figures agree to the last digit, calibration included.
    assert evidence["candidate"] == evidence["champion"]


def test_the_gate_refuses_and_force_overrides_and_records_it(champion: Path):
    config = yaml.safe_load((champion / "tiny.yaml").read_text(encoding="utf-8"))
    config["gate"]["min_frame_f1"] = 1.01
    (champion / "strict.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    refused = run(champion, "-m", "training", "promote", "--config", str(champion / "strict.yaml"))
    assert refused.returncode == 1
    assert "did not pass the gate" in refused.stderr and "FORCE=1" in refused.stderr
    forced = run(
        champion, "-m", "training", "promote", "--force", "--version", "1", "--config", str(champion / "strict.yaml")
    )
    assert forced.returncode == 0, forced.stderr
    assert json.loads((champion / "gate" / "version-1.json").read_text(encoding="utf-8"))["forced"]


def test_a_version_that_is_not_there_is_named(champion: Path):
    done = run(champion, "-m", "training", "promote", "--version", "99", "--config", str(champion / "tiny.yaml"))
    assert done.returncode == 1 and "version 99" in done.stderr and "Traceback" not in done.stderr


def test_the_run_holds_what_was_promised(champion: Path):
    code = """
import mlflow, json
from training.registry import connect
client = connect()
run = client.get_run(client.get_model_version("framing", "1").run_id)
files = [f.path for f in client.list_artifacts(run.info.run_id, "evaluation")]
print(json.dumps([dict(run.data.params), dict(run.data.metrics), dict(run.data.tags), files]))
"""
    done = run(champion, "-c", code)
    assert done.returncode == 0, done.stderr
    params, metrics, tags, files = json.loads(done.stdout.splitlines()[-1])
    assert params["learning_rate"] == "0.003" and int(params["n_training"]) > 0
    assert "eval_macro_f1" in metrics and "composed-test.macro_f1" in metrics
    assert "composed-test.baseline.keyword.macro_f1" in metrics
    assert len(tags["dataset_hash"]) == 64
    assert {"evaluation/report.md", "evaluation/metrics.json", "evaluation/composed-test-errors.csv",
            "evaluation/composed-test-curves.png", "evaluation/composed-test-reliability.png"} <= set(files)  # fmt: skip


def test_mlflow_in_a_fresh_process_equals_the_scored_folder(champion: Path, tmp_path: Path):
    texts = [
        "The troops fled the village in the morning.", "Residents of the liberated town held a market.",
        "The army planned the withdrawal.", "Rain to the match.", "The troops fled the village in the morning.",
    ]  # fmt: skip
    archive = write_jsonl(tmp_path / "archive.jsonl", [{"id": str(i), "text": t} for i, t in enumerate(texts)])
    scored = run(champion, "-m", "serving", "score", str(archive), "--out", str(tmp_path / "out"), "--keep", "all")
    assert scored.returncode == 0, scored.stderr
    assert "models:/framing@champion" in scored.stderr
    table = pq.read_table(tmp_path / "out" / "sentences").to_pydict()
    assert table["text"] == texts
    code = f"""
import json, mlflow, pandas as pd
mlflow.set_tracking_uri("sqlite:///{champion}/mlflow.db")
frame = mlflow.pyfunc.load_model("models:/framing@champion").predict(pd.DataFrame({{"text": {texts!r}}}))
print(json.dumps(frame.to_dict(orient="list")))
"""
    fresh = run(champion, "-c", code, cwd=tmp_path)
    assert fresh.returncode == 0, fresh.stderr
    predicted = json.loads(fresh.stdout.splitlines()[-1])
    assert list(predicted) == ["text", *(f"p_{f}" for f in FRAMES), "frames"]
    assert predicted["frames"] == table["frames"]
    for frame in FRAMES:
        assert np.allclose(predicted[f"p_{frame}"], table[f"p_{frame}"], atol=1e-6)


def test_evaluate_measures_any_labelled_file_beside_the_test_split(champion: Path, tmp_path: Path):
    rows = [{"text": "The troops fled.", "labels": ["panicked_flight"]}, {"text": "Rain said.", "labels": []}]
    path = write_jsonl(tmp_path / "mine.jsonl", rows)
    done = run(
        champion, "-m", "training", "evaluate", "--config", str(champion / "tiny.yaml"), "--sentences", str(path),
        "--out", str(tmp_path / "evaluation"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "composed-test" in done.stdout and "mine (n=2)" in done.stdout
    assert (tmp_path / "evaluation" / "mine-errors.csv").is_file()


def test_a_broken_dataset_stops_before_training(home: Path, tmp_path: Path):
    (tmp_path / "labelled").mkdir()
    (tmp_path / "labelled" / "bad.jsonl").write_text('{"id": "x"}\n', encoding="utf-8")
    config = yaml.safe_load((home / "tiny.yaml").read_text(encoding="utf-8")) | {"labelled": str(tmp_path / "labelled")}
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    done = run(home, "-m", "training", "train", "--config", str(tmp_path / "bad.yaml"))
    assert done.returncode == 1
    assert "bad.jsonl:1: field 'text' is missing" in done.stderr and "Traceback" not in done.stderr


def test_release_copies_the_champion_and_reads_it_back(champion: Path, tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from training.release import release;"
        "print(release(Path(sys.argv[1])).version)"
    )
    done = run(champion, "-c", code, str(tmp_path / "released"))
    assert done.returncode == 0, done.stderr
    from models.bundle import read_bundle

    assert read_bundle(tmp_path / "released").frame_names == FRAMES
    assert not (tmp_path / "released.new").exists()
