"""Scoring a list of sentences from Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from models.locate import locate

if TYPE_CHECKING:
    from models.predictor import Predictor


class Scorer:
    """A model ready to score sentences.

    >>> Scorer.load("models/released").score(["The enemy hastily abandoned its positions."])  # doctest: +SKIP
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    @classmethod
    def load(cls, model: str | None = None, threads: int = 0) -> Scorer:
        """Load a bundle folder or a `models:/…` URI; without one, the registry's champion or the released bundle.

        `threads`: CPU threads for the model, 0 for all cores. Raises BundleError naming the remedy.
        """
        # Imported here so that `import serving` does not wait for onnxruntime.
        from models.predictor import Predictor

        return cls(Predictor.from_folder(locate(model).folder, threads))

    def score(self, sentences: Sequence[str]) -> list[dict[str, object]]:
        """One record a sentence, in order: `text`, `p_<frame>` (calibrated, 0..1) and `frames` (those on).

        Raises TypeError if `sentences` is one string, or holds anything but strings.
        """
        if isinstance(sentences, str) or not all(isinstance(s, str) for s in sentences):
            raise TypeError("score takes a list of strings, one sentence each")
        return self._predictor.records(sentences)
