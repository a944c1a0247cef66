"""Command line of the data package: `python -m data check` and `agreement`."""

import argparse
import sys
from pathlib import Path

from data.check import counts_text, find_problems
from data.diversity import diversity_text, embed
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
        "print the counts by split, register, position, phenomenon, war and event, and how varied the sentences are. "
        "Exits 1 if anything is wrong.",
    )
    check.add_argument("files", nargs="*", type=Path, help="labelled .jsonl files (default: all of data/labelled)")
    check.add_argument("--frames", type=Path, default=FRAMES_FILE, help="frames file (default: data/frames.yaml)")
    agreement = commands.add_parser(
        "agreement",
        help="how far the blind readers agree with the composers",
        description="Krippendorff's alpha and Cohen's kappa a frame, with bootstrap intervals, of each reader in data/readers/ "
        "with the labels in data/labelled/. Needs the training environment (`make env-train`).",
    )
    agreement.add_argument("files", nargs="*", type=Path, help="readers' files (default: all of data/readers)")
    agreement.add_argument("--frames", type=Path, default=FRAMES_FILE, help="frames file (default: data/frames.yaml)")
    agreement.add_argument("--cases", action="store_true", help="list the sentences they disagree on as well")
    args = parser.parse_args(argv)
    if args.command == "agreement":
        return _agreement(args)
    try:
        frames = tuple(frame.name for frame in load_frames(args.frames))
        wars = load_wars()
        sentences = load_sentences(args.files or labelled_files(), frames, wars)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print(counts_text(sentences, frames, wars))
    print("\n" + diversity_text(sentences, None if args.files else embed([s.text for s in sentences])))
    print(f"\ndata set hash {dataset_hash(sentences)}")
    problems = find_problems(sentences, wars)
    print("\n".join(problems), file=sys.stderr)
    print(f"{len(problems)} problem(s)" if problems else "no problems: schema, duplicates, pairs and splits are clean")
    return 1 if problems else 0


def _agreement(args: argparse.Namespace) -> int:
    # Imported here: `check` must run in the light environment, which has no scikit-learn.
    from data.agreement import READERS_FOLDER, agreement_text, agreements, disagreements, read_reader

    try:
        frames = tuple(frame.name for frame in load_frames(args.frames))
        sentences = load_sentences(labelled_files(), frames, load_wars())
        files = args.files or sorted(READERS_FOLDER.glob("*.jsonl"))
        if not files:
            raise UserError(f"{READERS_FOLDER}: no reader's file in it")
        for path in files:
            reader = read_reader(path, frames)
            print(agreement_text(path.stem, agreements(sentences, reader, frames)) + "\n")
            for sentence, other in disagreements(sentences, reader) if args.cases else []:
                print(f"{sentence.id}  composer {list(sentence.labels)}  reader {list(other)}\n    {sentence.text}")
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
