"""Rivals a trained model must beat: majority, keyword rules, TF-IDF + logistic regression."""

import re
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from data.sentence import LabelledSentence
from training.fit import label_matrix

# The usual keywords of each frame of data/frames.yaml, as a researcher would search for them. A frame of another
# codebook has no rule here and is never on for this baseline.
KEYWORDS = {
    "liberation": r"\bliberat\w*|\bde-?occup\w*|\bfreed\b|\bfreeing\b|\boccupiers?\b",
    "planned_regroup": r"\bregroup\w*|\bredeploy\w*|\breposition\w*|\btactical (withdrawal|retreat)|\bplanned "
    r"(withdrawal|retreat)|\bphased\b|\bin (an orderly|good order)|\bgoodwill\b|\bshorten\w* the (line|front)",
    "panicked_flight": r"\bfled\b|\bflee\w*|\brout(ed)?\b|\bpanic\w*|\bchao\w*|\bdesert(ed|ing)\b|\bcollaps\w*|"
    r"\bran away\b|\bhast(y|ily)\b",
}
# A keyword counts only beside a military word: without this, half of all "fled" are refugees and drivers.
MILITARY = re.compile(
    r"\b(troops?|soldiers?|forces?|army|armies|militants?|rebels?|fighters?|garrison|enemy|regiments?|brigades?|"
    r"battalions?|division|corps|cavalry|military|militia|commander|occupiers?|liberated)\b",
    re.IGNORECASE,
)


def majority(n: int, frames: Sequence[str]) -> np.ndarray:
    """The most frequent answer, no frame, for `n` sentences: bool (n, frames)."""
    return np.zeros((n, len(frames)), dtype=bool)


def keyword_rules(texts: Sequence[str], frames: Sequence[str]) -> np.ndarray:
    """A frame is on where one of its keywords stands in a sentence with a military word: bool (texts, frames)."""
    rules = [re.compile(KEYWORDS[frame], re.IGNORECASE) if frame in KEYWORDS else None for frame in frames]
    return np.array(
        [[bool(rule and rule.search(text) and MILITARY.search(text)) for rule in rules] for text in texts], dtype=bool
    ).reshape(-1, len(frames))


def tfidf(training: Sequence[LabelledSentence], texts: Sequence[str], frames: Sequence[str]) -> np.ndarray:
    """Words and word pairs, TF-IDF, one balanced logistic regression a frame: probabilities (texts, frames)."""
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        OneVsRestClassifier(LogisticRegression(C=10, class_weight="balanced", max_iter=1000)),
    )
    model.fit([s.text for s in training], label_matrix(training, frames).astype(int))
    return model.predict_proba(list(texts))
