"""The commands that look whether a store is whole, and mend it: verify, repair."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from index.findings import Finding
    from index.verify import Verified

from search.commands.command import (
    Json,
    Store,
    app,
    one_native_thread,
    print_json,
    require_store,
    resumable,
    settings_of,
    stderr,
)

_SHOWN = 20  # findings; thousands of rows may be damaged by one cause


@app.command("verify")
def verify_store(
    ctx: typer.Context,
    full: Annotated[
        bool, typer.Option("--full", help="Read every row and every vector as well.")
    ] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Make again what is derived as well, and compare.")
    ] = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Look whether the store is whole.

    Nothing is changed; others may read and write meanwhile. Exit 0: all is good; 1: what `repair`
    mends; 2: what only a backup has; 3: it is no store that this Nutgraf can read.
    """
    one_native_thread()
    from index.verify import Depth, verify

    depth = Depth.DEEP if deep else Depth.FULL if full else Depth.QUICK
    verified = verify(settings_of(ctx, store=store).store, depth)
    if as_json:
        print_json(_verified_json(verified))
    else:
        typer.echo(_verified_text(verified))
    if verified.exit_code:
        raise typer.Exit(verified.exit_code)


@app.command("repair")
def repair_store(ctx: typer.Context, store: Store = None, as_json: Json = False) -> None:
    """Make again what is derived and damaged.

    What articles and people said is never touched: what is damaged of it is told. Exit codes are
    those of `verify`, after the repair.
    """
    one_native_thread()
    from index.repair import repair

    folder = settings_of(ctx, store=store).store
    require_store(folder)
    with resumable(lambda: "what was mended is kept; run the same command again"):
        repaired = repair(folder)
    verified = repaired.verified
    if as_json:
        mended = [_finding_json(finding) for finding in repaired.mended]
        print_json({"mended": mended, **_verified_json(verified)})
    else:
        for line in _lines(repaired.mended, "mended   "):
            stderr().print(line)
        typer.echo(_verified_text(verified))
    if verified.exit_code:
        raise typer.Exit(verified.exit_code)


def _verified_text(verified: "Verified") -> str:
    looked = (
        f"{verified.depth} look at commit {verified.seq:,}, {verified.rows:,} rows, "
        f"in {verified.seconds:.1f} s"
    )
    if not verified.findings:
        return f"good: {looked}"
    lines = _lines(verified.findings, "")
    count = len(verified.findings)
    return "\n".join([*lines, f"{count:,} finding{'s' if count > 1 else ''}: {looked}"])


def _lines(findings: "Sequence[Finding]", before: str) -> list[str]:
    lines = [
        f"{before}{finding.damage:8} {finding.place}: {finding.meaning}; {finding.advice}"
        for finding in findings[:_SHOWN]
    ]
    if len(findings) > _SHOWN:
        lines.append(f"{before}and {len(findings) - _SHOWN:,} more; --json gives all")
    return lines


def _verified_json(verified: "Verified") -> dict[str, object]:
    return {
        "depth": verified.depth,
        "exit_code": verified.exit_code,
        "seq": verified.seq,
        "rows": verified.rows,
        "seconds": round(verified.seconds, 3),
        "findings": [_finding_json(finding) for finding in verified.findings],
    }


def _finding_json(finding: "Finding") -> dict[str, str]:
    return {
        "damage": finding.damage,
        "part": finding.part,
        "place": finding.place,
        "meaning": finding.meaning,
        "advice": finding.advice,
    }
