"""Training, validation and test: by war and by event, so that no event is in two splits.

The test split is the wars marked `test: true` in `data/wars.yaml`; training never sees them. Every other event goes to
training or validation by a hash of its name, so adding sentences never moves one that was there before. Ordinary news
has no event and goes by the hash of its pair or id.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from data.sentence import LabelledSentence
from data.wars import War

SPLITS = ("training", "validation", "test")
VALIDATION_PERCENT = 15
ORDINARY_TEST_PERCENT = 15


def _percent(key: str) -> int:
    """A stable number 0..99 for a key. Python's own hash() changes from process to process."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % 100


def split_of(sentence: LabelledSentence, wars: Mapping[str, War]) -> str:
    """The split a sentence belongs to; `wars` as `load_wars` gives it."""
    if sentence.war is not None and sentence.event is not None:
        if wars[sentence.war].test:
            return "test"
        return "validation" if _percent(sentence.event) < VALIDATION_PERCENT else "training"
    percent = _percent(sentence.pair or sentence.id)
    if percent < ORDINARY_TEST_PERCENT:
        return "test"
    return "validation" if percent < ORDINARY_TEST_PERCENT + VALIDATION_PERCENT else "training"


@dataclass(frozen=True)
class Splits:
    """The labelled sentences by split."""

    training: list[LabelledSentence]
    validation: list[LabelledSentence]
    test: list[LabelledSentence]


def split_sentences(sentences: Iterable[LabelledSentence], wars: Mapping[str, War]) -> Splits:
    """Put every sentence into its split, keeping the order within each."""
    parts: dict[str, list[LabelledSentence]] = {name: [] for name in SPLITS}
    for sentence in sentences:
        parts[split_of(sentence, wars)].append(sentence)
    return Splits(**parts)
