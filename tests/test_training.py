"""The parts of training that have an answer one can check by hand."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import FRAMES, write_jsonl
from hypothesis import given
from hypothesis import strategies as st

from data.errors import DataError
from models.predictor import Predictor
from training.base import base_path
from training.baselines import keyword_rules
from training.behaviour import BehaviourCase, run_behaviour
from training.calibrate import ARCHIVE_FRAMED_SHARE, archive_weights, best_threshold, platt
from training.config import DEFAULT_CONFIG, ConfigError, Gate, load_config
from training.evaluation import read_labelled_set
from training.gate import gate_checks
from training.metrics import bootstrap_f1, ece, f1_scores, figures, interval
from training.report import _formula_safe


def changed(tmp_path: Path, **changes: object) -> Path:
    raw = yaml.safe_load(DEFAULT_CONFIG.read_text(encoding="utf-8"))
    raw = {k: v for k, v in (raw | changes).items() if v != "remove"}
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"epochs": "remove"}, "setting epochs is missing"),
        ({"epocs": 3}, "unknown setting epocs"),
        ({"learning_rate": "3e-4"}, "learning_rate must be a number"),
        ({"gate": {}}, "gate: setting"),
    ],
)
def test_a_config_fault_is_named(tmp_path: Path, changes: dict, reason: str):
    with pytest.raises(ConfigError, match=reason):
        load_config(changed(tmp_path, **changes))


def test_a_base_with_another_hash_is_refused(tmp_path: Path, tiny_base: Path):
    with pytest.raises(ConfigError, match="sha256"):
        base_path(load_config(changed(tmp_path, base=str(tiny_base), base_sha256="0" * 64)))


def test_the_default_base_is_the_one_whose_hash_is_given():
    assert (Path(base_path(load_config())) / "model.safetensors").is_file()


def test_f1_by_hand():
    truth = np.array([[1, 0], [1, 0], [0, 0], [0, 0]], dtype=bool)
    predicted = np.array([[1, 0], [0, 0], [1, 0], [0, 0]], dtype=bool)
    assert f1_scores(truth, predicted).tolist() == [0.5, 0.0]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=5, max_size=60))
def test_the_bootstrap_interval_lies_in_0_to_1_and_is_the_same_twice(rows: list):
    truth, predicted = (np.array([r[i] for r in rows])[:, None] for i in (0, 1))
    low, high = interval(bootstrap_f1(truth, predicted))
    assert 0 <= low <= high <= 1
    assert (low, high) == interval(bootstrap_f1(truth, predicted))


def test_ece_is_zero_where_probabilities_come_true_and_large_where_not():
    truth = np.array([True] * 75 + [False] * 25)
    assert ece(truth, np.full(100, 0.75)) == pytest.approx(0)
    assert ece(truth, np.full(100, 0.05)) == pytest.approx(0.70)


def test_platt_scaling_undoes_overconfidence():
    rng = np.random.default_rng(0)
    honest = rng.normal(size=4000) * 2
    truth = rng.random(4000) < 1 / (1 + np.exp(-honest))
    slope, intercept = platt(honest * 5, truth)
    assert slope == pytest.approx(0.2, abs=0.03) and intercept == pytest.approx(0, abs=0.15)


def test_platt_keeps_the_ranking_even_of_a_useless_model():
    assert platt(np.array([3.0, 2.0, -1.0, -2.0]), np.array([False, False, True, True])) == (1.0, 0.0)


def test_the_threshold_lies_between_the_classes():
    probability = np.concatenate([np.full(90, 0.3), np.full(10, 0.6)])
    assert 0.3 < best_threshold(probability, probability > 0.5) <= 0.6


def a_gate(**changes: float) -> Gate:
    limits = {
        "max_macro_f1_drop": 0.01,
        "min_frame_f1": 0.5,
        "max_ece": 0.1,
        "min_int8_agreement": 0.99,
        "min_behaviour": 0.8,
    }
    return Gate(**(limits | changes), retrain_margin=0.0)


def test_each_line_of_the_gate_can_fail():
    truth = np.eye(3, dtype=bool).repeat(10, 0)
    good = figures(truth, truth.astype(float), truth, FRAMES)
    bad = figures(truth, np.full(truth.shape, 0.9), ~truth, FRAMES)
    cases = [BehaviourCase("b", "c", "minimum", True, "")]
    assert all(c.passed for c in gate_checks(a_gate(), good, good, 1.0, cases))
    failed = {c.name for c in gate_checks(a_gate(), bad, good, 0.5, []) if not c.passed}
    assert failed == {c.name for c in gate_checks(a_gate(), good, good, 1.0, cases)}


def test_keyword_rules_want_a_military_word():
    on = keyword_rules(["The soldiers fled.", "The driver fled."], FRAMES)
    assert on[:, FRAMES.index("panicked_flight")].tolist() == [True, False]


def test_a_labelled_file_without_labels_or_with_an_unknown_frame_is_named(tmp_path: Path):
    for row, reason in [({"text": "a"}, "needs 'text'"), ({"text": "a", "labels": ["x"]}, "unknown frames")]:
        with pytest.raises(DataError, match=rf"f\.jsonl:1: {reason}"):
            read_labelled_set(write_jsonl(tmp_path / "f.jsonl", [row]), FRAMES)


def test_behaviour_cases_are_run_and_a_malformed_one_is_named(tmp_path: Path, tiny_bundle: Path):
    predictor = Predictor.from_folder(tiny_bundle)
    good = [
        {"id": "1", "capability": "c", "test": "invariance", "text": "Troops fled.", "changed": "Troops fled."},
        {"id": "2", "capability": "c", "test": "direction", "text": "Troops fled.", "changed": "Troops fled.",
         "frame": "liberation", "direction": "up"},
    ]  # fmt: skip
    write_jsonl(tmp_path / "a.jsonl", good)
    assert [c.passed for c in run_behaviour(predictor, tmp_path)] == [True, False]
    write_jsonl(tmp_path / "a.jsonl", [{"id": "1", "capability": "c", "test": "minimum", "text": "Troops."}])
    with pytest.raises(DataError, match=r"a\.jsonl:1: not a behaviour case"):
        run_behaviour(predictor, tmp_path)


def test_the_committed_behaviour_cases_are_well_formed(tiny_bundle: Path):
    folder = Path(__file__).parent.parent / "data" / "behaviour"
    assert len(run_behaviour(Predictor.from_folder(tiny_bundle), folder)) >= 60


def test_a_spreadsheet_formula_is_disarmed():
    assert _formula_safe('=HYPERLINK("x")').startswith("'=") and _formula_safe("plain") == "plain"


def test_at_archive_rates_framed_sentences_weigh_their_share():
    truth = np.array([[True, False]] * 30 + [[False, False]] * 70)
    weights = archive_weights(truth)
    assert weights[:30].sum() / weights.sum() == pytest.approx(ARCHIVE_FRAMED_SHARE)
    assert archive_weights(truth[:30]).tolist() == [1.0] * 30
