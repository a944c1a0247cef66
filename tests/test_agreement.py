"""How readers agree, and how varied the sentences are."""

from pathlib import Path

import numpy as np
import pytest
from conftest import FRAMES, labelled_row, write_jsonl
from hypothesis import given
from hypothesis import strategies as st

from data.__main__ import main
from data.agreement import agreements, alpha, disagreements, kappa, read_reader
from data.diversity import distinct_share, embed, keywordless_share, nearest_other, word_runs
from data.errors import DataError
from data.sentence import LabelledSentence, parse_sentence
from data.wars import load_wars


def sentence(name: str, text: str, labels: list[str]) -> LabelledSentence:
    return parse_sentence(labelled_row(name, text, labels), FRAMES, load_wars(), "here:1")


def test_alpha_and_kappa_of_a_worked_example():
    # Two readers, ten units: 4 both on, 4 both off, 1 and 1 apart. Observed agreement 0.8; chance 0.5 for kappa;
    # for alpha the expected disagreement is 2 * 10 * 10 / (20 * 19), the observed 0.2.
    one = np.array([1, 1, 1, 1, 0, 0, 0, 0, 1, 0], dtype=bool)
    two = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 1], dtype=bool)
    assert kappa(one, two) == pytest.approx(0.6)
    assert alpha(one, two) == pytest.approx(1 - 0.2 / (200 / 380))


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_a_reader_agrees_with_himself(labels: list[bool]):
    one = np.array(labels)
    assert alpha(one, one) == 1.0
    assert kappa(one, one) == 1.0


def test_agreement_counts_and_names_the_cases():
    sentences = [sentence(f"x-{i}", f"The {i} fled.", ["panicked_flight"] if i % 2 else []) for i in range(8)]
    reader = {s.id: list(s.labels) for s in sentences} | {"x-0": ["panicked_flight"]}
    found = {a.frame: a for a in agreements(sentences, reader, FRAMES)}["panicked_flight"]
    assert (found.n, found.on_composer, found.on_reader, found.both) == (8, 4, 5, 4)
    assert found.kappa_interval[0] <= found.kappa <= found.kappa_interval[1]
    assert [(s.id, other) for s, other in disagreements(sentences, reader)] == [("x-0", ("panicked_flight",))]


def test_a_reader_of_unknown_sentences_is_refused():
    with pytest.raises(DataError, match="x-9"):
        agreements([sentence("x-1", "They left.", [])], {"x-9": []}, FRAMES)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([{"id": "x-1"}], "needs 'id' and 'labels'"),
        ([{"id": "x-1", "labels": ["heroism"]}], "unknown frames"),
        ([{"id": "x-1", "labels": []}, {"id": "x-1", "labels": []}], "labelled twice"),
    ],
)
def test_a_faulty_reader_file_is_named(tmp_path: Path, rows: list[dict], reason: str):
    path = write_jsonl(tmp_path / "reader.jsonl", rows)
    with pytest.raises(DataError, match=r"reader\.jsonl:[12]: ") as error:
        read_reader(path, FRAMES)
    assert reason in str(error.value)


def test_the_committed_readers_agree_with_the_composers(capsys: pytest.CaptureFixture):
    assert main(["agreement"]) == 0
    assert "alpha" in capsys.readouterr().out


def test_word_runs_and_distinct_share():
    texts = ["The army left the town.", "The army left the camp."]
    assert word_runs(texts, 4)[("the", "army", "left", "the")] == 2
    assert distinct_share(texts, 4) == pytest.approx(3 / 4)
    assert distinct_share(["Short."], 4) == 0.0


def test_keywords_are_looked_for_in_framed_sentences_only():
    rows = [("They fled.", ["panicked_flight"]), ("They ran.", ["panicked_flight"]), ("It was calm.", [])]
    assert keywordless_share([sentence(f"x-{i}", t, on) for i, (t, on) in enumerate(rows)]) == 0.5


def test_members_of_a_pair_are_not_each_others_neighbour():
    vectors = np.array([[1, 0], [1, 0], [0.6, 0.8]], dtype=np.float32)
    assert nearest_other(vectors, ["p", "p", None]) == pytest.approx([0.6, 0.6, 0.6])
    assert nearest_other(vectors, [None, None, None]) == pytest.approx([1.0, 1.0, 0.6])


def test_sentences_that_mean_much_the_same_lie_close():
    vectors = embed(["The soldiers fled the town.", "Troops ran away from the town.", "Butter is dearer this week."])
    assert vectors is not None
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert vectors[0] @ vectors[1] > 0.6 > 0.3 > vectors[0] @ vectors[2]
