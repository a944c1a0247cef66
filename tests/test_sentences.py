"""Splitting texts into sentences: exact offsets for any text, sensible ends for news prose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.sentences import split_sentences

PIECES = [
    "Mr. ", "They fled. ", "fled.The ", "\n\n", "\n", "\r\n", " ", '"', "“", "”", "U.S. ", "😀", "👩\u200d🚀", "é", "e\u0301",
    "\u2028", "\x1c", "\x85", "\u3000", "\ufeff", "?", "!", "...", "。", "(", ")", "\t", "1.", "\x00", "He said", ", ",
]  # fmt: skip


def pieces(text: str) -> list[str]:
    return [text[span.start : span.end] for span in split_sentences(text)]


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=120)
    | st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
)
def test_sentences_are_in_order_apart_trimmed_and_leave_nothing_out(text: str):
    end, left_out = 0, ""
    for span in split_sentences(text):
        assert end <= span.start < span.end <= len(text)
        assert text[span.start : span.end] == text[span.start : span.end].strip()
        left_out += text[end : span.start]
        end = span.end
    assert not (left_out + text[end:]).strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n ", []),
        ("They left", ["They left"]),
        ("Mr. Smith left. He ran.", ["Mr. Smith left.", "He ran."]),
        ("Gen. Jones left the U.S. base. It rained.", ["Gen. Jones left the U.S. base.", "It rained."]),
        ("They fled.The town was empty.", ["They fled.", "The town was empty."]),
        ("TROOPS LEAVE TOWN\n\nThey left at dawn.", ["TROOPS LEAVE TOWN", "They left at dawn."]),
        ("The army left\nthe town at\ndawn. It rained.", ["The army left\nthe town at\ndawn.", "It rained."]),
        ('He said: "Go." They went.', ['He said: "Go."', "They went."]),
        ("😀 They left. 😀 It rained.", ["😀 They left.", "😀 It rained."]),
        ("  They left.  \r\n\r\n  It rained. ", ["They left.", "It rained."]),
        ("It cost 3.5 million. Why?", ["It cost 3.5 million.", "Why?"]),
    ],
)
def test_plain_examples(text: str, expected: list[str]):
    assert pieces(text) == expected
