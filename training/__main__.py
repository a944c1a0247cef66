"""Command line of the training package: `python -m training train|promote|retrain|evaluate|study|release`."""

import argparse
import sys
from pathlib import Path

from data.errors import UserError
from training.config import DEFAULT_CONFIG, ROOT

# `retrain` ends with this where nothing failed and the champion was kept.
KEPT_CHAMPION = 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description="From labelled sentences to a champion.")
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    def config(command: argparse.ArgumentParser) -> None:
        command.add_argument(
            "--config", type=Path, default=DEFAULT_CONFIG, help="default: training/configs/default.yaml"
        )

    config(add("train", "fine-tune, calibrate, export, evaluate, log to MLflow and register a new version"))
    one = add("promote", "move the alias `champion` to a version if it passes the gate")
    config(one)
    one.add_argument("--version", help="version number (default: the newest)")
    one.add_argument("--force", action="store_true", help="promote even if the gate refuses, and record that")
    one = add(
        "retrain", "check the data, train, promote only what beats the champion; exits 0 promoted, 3 kept, 1 failed"
    )
    config(one)
    one.add_argument("--always", action="store_true", help="train even if nothing changed since the champion")
    one = add("evaluate", "metrics, curves and errors of a model on the composed test split and on a labelled file")
    config(one)
    one.add_argument("--model", help="bundle folder or models:/ URI (default: the champion, else models/released)")
    one.add_argument("--sentences", type=Path, help="a .jsonl with text and labels, measured beside the test split")
    one.add_argument("--out", type=Path, default=ROOT / "evaluation", help="folder to write to (default: evaluation/)")
    one = add("study", "compare configs over several seeds and data sizes; registers nothing")
    one.add_argument("configs", nargs="+", type=Path, help="training configs")
    one.add_argument("--seeds", type=int, default=3, help="seeds for each config (default: 3)")
    one.add_argument(
        "--shares", type=float, nargs="+", default=[1.0], help="shares of the training sentences: 0.25 0.5 1"
    )
    one.add_argument(
        "--out", type=Path, default=ROOT / "evaluation" / "study.jsonl", help="default: evaluation/study.jsonl"
    )
    add("release", "copy the champion's bundle to models/released and check the copy")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 3 `retrain` kept the champion."""
    args = _parser().parse_args(argv)
    try:
        # Imported here: torch and MLflow take seconds, which --help should not.
        if args.command == "train":
            from training.train import train

            train(args.config)
        elif args.command == "promote":
            from training.promote import promote

            promote(args.config, args.version, args.force)
        elif args.command == "retrain":
            from training.retrain import retrain

            outcome = retrain(args.config, args.always)
            print(f"{'promoted' if outcome.promoted else 'kept the champion'}: {outcome.reason}")
            return 0 if outcome.promoted else KEPT_CHAMPION
        elif args.command == "evaluate":
            from training.measure import measure_model

            print(measure_model(args.config, args.model, args.sentences, args.out))
        elif args.command == "study":
            from training.study import study

            print(study(args.configs, args.seeds, args.shares, args.out))
        else:
            from training.release import release

            champion = release()
            print(f"released version {champion.version} to models/released; commit that folder to ship it")
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
