"""Run one notebook through the Jupyter messaging protocol and report what happens, one JSON object a line.

    run_notebook.py NOTEBOOK --output EXECUTED.ipynb [--timeout SECONDS] [--kernel NAME]

Events on standard output:

    {"event": "start", "cells": n}
    {"event": "ready", "seconds": s}                      the kernel answers
    {"event": "cell", "index": i, "of": n, "seconds": s}  a code cell ended well (i counts code cells from 1)
    {"event": "progress", "cell": i, "text": "..."}       the newest line of a display that is updated in place
    {"event": "error", "cell": i, "source": "...", "ename": "...", "evalue": "...", "traceback": ["..."]}
    {"event": "timeout", "cell": i, "source": "...", "limit": s}
    {"event": "dead", "cell": i, "source": "...", "message": "..."}
    {"event": "stopped"}                                  by SIGINT, SIGTERM or the end of the parent
    {"event": "done", "seconds": s}                       every cell ran

Exit codes: 0 done, 1 a cell failed, died or ran out of time, 2 the notebook cannot be read or its kernel not started, 130 stopped.

The kernel never outlives whoever started this: when the parent is gone, so is the kernel half a second later.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError


def emit(event: str, **fields: Any) -> None:
    try:
        print(json.dumps({"event": event, **fields}), flush=True)
    except BrokenPipeError:  # whoever listened is gone, which stops the run soon
        pass


def write_atomically(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def shortened(traceback: list[str], most: int = 60) -> list[str]:
    """The first and last lines: what thousands of rejected promises say is said once."""
    lines = [line[:2000] for entry in traceback for line in entry.splitlines()]
    if len(lines) <= most:
        return lines
    half = most // 2
    return [*lines[:half], f"    … {len(lines) - 2 * half} lines more, in the executed copy …", *lines[-half:]]


class ReportingClient(NotebookClient):
    """A client that also reports displays which are updated in place."""

    code_cell = 0
    last_progress = 0.0

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        content = msg["content"]
        if content.get("transient", {}).get("display_id"):
            lines = str(content.get("data", {}).get("text/plain", "")).strip().splitlines()
            now = time.monotonic()
            if lines and now - self.last_progress > 0.2:
                self.last_progress = now
                emit("progress", cell=self.code_cell, text=lines[-1][:200])
        return super().process_message(msg, cell, cell_index)


async def run(client: ReportingClient, directory: str, timeout: float | None) -> int:
    cells = [(i, c) for i, c in enumerate(client.nb.cells) if c.cell_type == "code" and c.source.strip()]
    started = time.monotonic()
    source = ""
    ended = started

    async def every_cell() -> None:
        nonlocal source, ended
        async with client.async_setup_kernel(cwd=directory):
            intercept_signals()
            emit("ready", seconds=round(time.monotonic() - started, 3))
            client.nb.metadata["language_info"] = (await client.async_wait_for_reply(client.kc.kernel_info()))["content"]["language_info"]
            for number, (index, cell) in enumerate(cells, start=1):
                client.code_cell, source = number, cell.source
                cell_started = time.monotonic()
                await client.async_execute_cell(cell, index)
                emit("cell", index=number, of=len(cells), seconds=round(time.monotonic() - cell_started, 3))
            ended = time.monotonic()

    task = asyncio.ensure_future(every_cell())
    loop = asyncio.get_running_loop()
    ended_by = ""

    def end(why: str) -> None:
        nonlocal ended_by
        ended_by = ended_by or why
        task.cancel()

    def intercept_signals() -> None:
        # The client installs its own handlers, which leave the loop waiting for a kernel that is gone.
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end, "stopped")

    async def watch_parent() -> None:
        parent = os.getppid()
        while os.getppid() == parent:
            await asyncio.sleep(0.5)
        end("stopped")

    intercept_signals()
    watcher = asyncio.ensure_future(watch_parent())
    if timeout is not None:
        loop.call_later(timeout, end, "timeout")
    emit("start", cells=len(cells))
    try:
        await asyncio.wait([task])
        watcher.cancel()
        failure = None if task.cancelled() else task.exception()
        if ended_by == "timeout":
            emit("timeout", cell=client.code_cell, source=source, limit=timeout)
            return 1
        if ended_by:
            emit("stopped")
            return 130
        if failure:
            raise failure
    except CellExecutionError as error:
        outputs = cells[client.code_cell - 1][1].get("outputs", [])
        reported = next((o for o in reversed(outputs) if o.output_type == "error"), None)
        emit(
            "error",
            cell=client.code_cell,
            source=source,
            ename=error.ename,
            evalue=error.evalue,
            traceback=shortened(list(reported.traceback) if reported else [error.traceback]),
        )
        return 1
    except DeadKernelError as error:
        emit("dead", cell=client.code_cell, source=source, message=str(error))
        return 1
    emit("done", seconds=round(ended - started, 3))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="where the executed copy goes, also after a failure")
    parser.add_argument("--timeout", type=float, default=None, help="seconds for the whole notebook")
    parser.add_argument("--kernel", default="marginalia")
    options = parser.parse_args()
    try:
        notebook = nbformat.read(options.notebook, as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        emit("unreadable", message=f"{options.notebook} is not a readable notebook: {str(error).splitlines()[0]}")
        return 2
    # Outputs of an earlier run must not pass for outputs of this one.
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = ReportingClient(notebook, timeout=None, kernel_name=options.kernel, shutdown_kernel="immediate", startup_timeout=120)
    try:
        code = asyncio.run(run(client, str(options.notebook.resolve().parent), options.timeout))
    except (NoSuchKernel, RuntimeError, OSError) as error:
        emit("unstartable", message=f"the kernel {options.kernel} did not start: {error}")
        return 2
    try:
        write_atomically(options.output, nbformat.writes(notebook))
    except OSError as error:
        emit("unwritable", message=f"cannot write {options.output}: {error.strerror}")
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main())
