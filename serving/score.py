"""Scoring the articles of one shard: a plain function that knows nothing of files or workers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.predictor import Predictor
from serving.articles import Article
from serving.sentences import split_sentences


@dataclass(frozen=True)
class ScoredShard:
    """A shard's rows for sentences/*.parquet, and each article's counts for articles/*.parquet."""

    sentence_rows: list[dict[str, object]]
    counts: list[dict[str, object]]  # one an article, in order
    n_sentences: int
    n_distinct: int
    n_framed: dict[str, int]


@dataclass(frozen=True)
class _Place:
    article: int
    sentence_index: int
    start: int | None
    end: int | None


def score_articles(articles: Sequence[Article], predictor: Predictor, keep_all: bool) -> ScoredShard:
    """Split, score and count the articles of a shard.

    The title is sentence 0, the first sentence of the text is 1, with or without a title. Equal sentences of the shard
    are scored once. Without `keep_all` only sentences with a frame become rows; counts and means are over all.
    """
    places: list[_Place] = []
    texts: list[str] = []
    for i, article in enumerate(articles):
        if article.title and article.title.strip():
            places.append(_Place(i, 0, None, None))
            texts.append(article.title.strip())
        for n, span in enumerate(split_sentences(article.text), start=1):
            places.append(_Place(i, n, span.start, span.end))
            texts.append(article.text[span.start : span.end])
    probability = predictor.probabilities(texts)
    on = predictor.decide(probability)
    frames = predictor.bundle.frame_names
    owner = np.array([place.article for place in places], dtype=np.int64)
    return ScoredShard(
        sentence_rows=_sentence_rows(articles, places, texts, probability, on, frames, keep_all),
        counts=_counts(len(articles), owner, probability, on, frames),
        n_sentences=len(texts),
        n_distinct=len(set(texts)),
        n_framed={frame: int(on[:, i].sum()) for i, frame in enumerate(frames)},
    )


def _sentence_rows(
    articles: Sequence[Article], places: Sequence[_Place], texts: Sequence[str],
    probability: np.ndarray, on: np.ndarray, frames: Sequence[str], keep_all: bool,
) -> list[dict[str, object]]:  # fmt: skip
    rows: list[dict[str, object]] = []
    for i in range(len(texts)) if keep_all else np.flatnonzero(on.any(1)).tolist():
        place = places[i]
        article = articles[place.article]
        rows.append(
            {
                "article_id": article.article_id,
                "sentence_index": place.sentence_index,
                "start": place.start,
                "end": place.end,
                "text": texts[i],
                "outlet": article.outlet,
                "date": article.date,
                **{f"p_{frame}": float(probability[i, k]) for k, frame in enumerate(frames)},
                "frames": [frame for k, frame in enumerate(frames) if on[i, k]],
                "source": article.source,
            }
        )
    return rows


def _counts(
    n_articles: int, owner: np.ndarray, probability: np.ndarray, on: np.ndarray, frames: Sequence[str]
) -> list[dict[str, object]]:
    n = np.bincount(owner, minlength=n_articles)
    marked = [np.bincount(owner, weights=on[:, k], minlength=n_articles) for k in range(len(frames))]
    summed = [np.bincount(owner, weights=probability[:, k], minlength=n_articles) for k in range(len(frames))]
    return [
        {
            "n_sentences": int(n[i]),
            **{f"n_{frame}": int(marked[k][i]) for k, frame in enumerate(frames)},
            **{f"mean_p_{frame}": float(summed[k][i] / n[i]) if n[i] else None for k, frame in enumerate(frames)},
        }
        for i in range(n_articles)
    ]
