"""Splitting a text into sentences, with exact offsets."""

from dataclasses import dataclass

import sentencex


@dataclass(frozen=True)
class Span:
    """A sentence's place in its text: `text[start:end]` is the sentence, without white space around it."""

    start: int
    end: int


def split_sentences(text: str) -> list[Span]:
    """The sentences of an English text in order, never overlapping, never empty.

    sentencex (MIT, the Wikimedia Foundation's splitter) finds the boundaries; line breaks inside a sentence, as in
    hard-wrapped agency copy, do not end it, a blank line does.
    """
    spans = []
    for boundary in sentencex.get_sentence_boundaries("en", text):
        start, end = boundary["start_index"], boundary["end_index"]
        piece = text[start:end]
        inner = piece.strip()
        if inner:
            start += len(piece) - len(piece.lstrip())
            spans.append(Span(start, start + len(inner)))
    return spans
