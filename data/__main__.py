"""Command line of the data package: `python -m data check`."""

import argparse
import sys
from pathlib import Path

from data.check import counts_text, find_problems
from data.errors import UserError
from data.frames import FRAMES_FILE, load_frames
from data.sentence import dataset_hash, labelled_files, load_sentences
from data.wars import load_wars


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 clean, 1 something to mend."""
    parser = argparse.ArgumentParser(prog="python -m data", description="The composed, labelled sentences.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check",
        help="validate the labelled sentences and print what there is",
        description="Validate schema, duplicates, near-duplicates, minimal pairs and leakage between splits, then "
        "print the counts by split, register, position, phenomenon, war and event. Exits 1 if anything is wrong.",
    )
    check.add_argument("files", nargs="*", type=Path, help="labelled .jsonl files (default: all of data/labelled)")
    check.add_argument("--frames", type=Path, default=FRAMES_FILE, help="frames file (default: data/frames.yaml)")
    args = parser.parse_args(argv)
    try:
        frames = tuple(frame.name for frame in load_frames(args.frames))
        wars = load_wars()
        sentences = load_sentences(args.files or labelled_files(), frames, wars)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print(counts_text(sentences, frames, wars))
    print(f"\ndata set hash {dataset_hash(sentences)}")
    problems = find_problems(sentences, wars)
    print("\n".join(problems), file=sys.stderr)
    print(f"{len(problems)} problem(s)" if problems else "no problems: schema, duplicates, pairs and splits are clean")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
