"""Command line of the serving package: `python -m serving score|report|demo`."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from data.errors import UserError
from models.locate import RELEASED, ROOT

SAMPLE = ROOT / "data" / "sample"
DEMO_OUT = Path("demo-out")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m serving", description="From an archive to scored tables and a report."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    score = add("score", "score every sentence of an archive and write tables, rejects, manifest and report")
    score.add_argument("archive", help="file, folder, glob or URL of .jsonl, .csv (also .gz, .zst), .parquet, .txt")
    score.add_argument("--out", type=Path, required=True, help="the scored folder to write")
    score.add_argument("--model", help="bundle folder or models:/ URI (default: the champion, else models/released)")
    score.add_argument(
        "--keep", choices=["framed", "all"], default="framed", help="sentences to keep (default: framed)"
    )
    score.add_argument("--map", default="", help='columns under other names, such as "text=body date=published"')
    report = add("report", "(re)build report.html from a scored folder")
    report.add_argument("--out", type=Path, required=True, help="the scored folder")
    demo = add("demo", "score the sample archive with the released model")
    demo.add_argument("--out", type=Path, default=DEMO_OUT, help="the scored folder to write (default: demo-out/)")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 130 interrupted."""
    args = _parser().parse_args(argv)
    try:
        # Imported here: pyarrow and onnxruntime would slow --help down.
        if args.command == "report":
            from serving.report import write_report

            print(f"report: {write_report(args.out)}")
            return 0
        from serving.articles import parse_map
        from serving.closing import closing_summary
        from serving.job import score_archive

        if args.command == "demo":
            sample = os.path.relpath(SAMPLE)
            _clear_earlier_demo(args.out, sample)
            score_archive(sample, args.out, os.path.relpath(RELEASED))
            print(closing_summary(args.out))
            print(_next_steps(args.out))
        else:
            score_archive(args.archive, args.out, args.model, args.keep == "all", parse_map(args.map))
            print(closing_summary(args.out))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run the same command again", file=sys.stderr)
        return 130
    return 0


def _clear_earlier_demo(out: Path, sample: str) -> None:
    """Take an earlier demo's folder away: another release may have made it. Any other folder is left to be refused."""
    from serving.manifest import ManifestError, read_manifest

    try:
        if read_manifest(out)["arguments"]["archive"] == sample:
            shutil.rmtree(out)
    except (ManifestError, KeyError, TypeError):
        pass


def _next_steps(out: Path) -> str:
    return f"""
Try next:
  open {out / "report.html"} in a browser
  make score ARCHIVE=your.csv OUT=scored MAP="text=body date=published"
  .venv/bin/python -c "from serving import Scorer; print(Scorer.load('models/released').score(['They fled at dawn.']))"
  make train, then make promote: your own model"""


if __name__ == "__main__":
    sys.exit(main())
