"""Starts the compiled kernel (`dist/jupyter`) through Jupyter's own client, from a kernelspec in a temporary folder."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

PROJECT = Path(__file__).resolve().parents[2]
TIMEOUT = 60


def pytest_configure() -> None:
    """Makes the kernelspec known before any test asks for it, and nothing of the user's."""
    folder = tempfile.mkdtemp(prefix="marginalia-kernel-")
    script = "import { writeKernelspec } from './dist/jupyter/kernelspec.js'; writeKernelspec(process.argv[1]);"
    subprocess.run(["node", "--input-type=module", "-e", script, folder], cwd=PROJECT, check=True)
    os.environ["JUPYTER_PATH"] = folder
    os.environ["JUPYTER_RUNTIME_DIR"] = folder
    os.environ["JUPYTER_DATA_DIR"] = folder


@dataclass
class Cell:
    """What came of a cell: the reply and the messages on iopub, status left out."""

    reply: dict[str, Any]
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def status(self) -> str:
        return self.reply["content"]["status"]

    @property
    def ename(self) -> str:
        return self.reply["content"]["ename"]

    @property
    def evalue(self) -> str:
        return self.reply["content"]["evalue"]

    @property
    def traceback(self) -> str:
        """The traceback without colours."""
        text = "\n".join(self.reply["content"]["traceback"])
        return text.replace("\x1b[31m", "").replace("\x1b[39m", "")

    def stream(self, name: str) -> str:
        return "".join(c["text"] for kind, c in self.messages if kind == "stream" and c["name"] == name)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [content for message, content in self.messages if message == kind]

    @property
    def result(self) -> str | None:
        results = self.of("execute_result")
        return results[0]["data"]["text/plain"] if results else None


class Kernel:
    """A running kernel."""

    def __init__(self, **options: Any) -> None:
        self.manager: KernelManager
        self.client: BlockingKernelClient
        self.replies: dict[str, dict[str, Any]] = {}
        self.manager, self.client = start_new_kernel(kernel_name="marginalia", **{"cwd": str(PROJECT), **options})

    def run(self, code: str, *, timeout: float = TIMEOUT, **options: Any) -> Cell:
        start = time.monotonic()
        return self.finish(self.client.execute(code, **options), start, timeout)

    def finish(self, msg_id: str, start: float | None = None, timeout: float = TIMEOUT) -> Cell:
        """Collects what comes of a cell that was sent."""
        start = time.monotonic() if start is None else start
        cell = Cell(reply={})
        while True:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != msg_id:
                continue
            content = message["content"]
            if message["msg_type"] != "status":
                cell.messages.append((message["msg_type"], content))
            elif content["execution_state"] == "idle":
                break
        cell.reply = self.shell(msg_id, timeout)
        cell.seconds = time.monotonic() - start
        return cell

    def shell(self, msg_id: str, timeout: float = TIMEOUT) -> dict[str, Any]:
        """The reply to a request on the shell channel."""
        while msg_id not in self.replies:
            reply = self.client.get_shell_msg(timeout=timeout)
            self.replies[reply["parent_header"].get("msg_id")] = reply
        return self.replies.pop(msg_id)

    def interrupt_after(self, code: str, seconds: float = 0.7) -> Cell:
        """Runs a cell, waits until it printed `started`, and a little, and interrupts it by the signal."""
        msg_id = self.client.execute(code)
        start = time.monotonic()
        while True:
            message = self.client.get_iopub_msg(timeout=TIMEOUT)
            if message["msg_type"] == "stream" and "started" in message["content"]["text"]:
                break
        time.sleep(seconds)
        self.manager.interrupt_kernel()
        return self.finish(msg_id, start, timeout=15)

    def late_output(self, seconds: float) -> str:
        """What arrives on the streams in the next seconds without any cell being run."""
        text, end = "", time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                message = self.client.get_iopub_msg(timeout=0.1)
            except Exception:  # noqa: BLE001 - the client raises queue.Empty when nothing arrived
                continue
            if message["msg_type"] == "stream":
                text += message["content"]["text"]
        return text

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    running = Kernel()
    yield running
    running.stop()


@pytest.fixture
def fresh_kernel() -> Iterator[Kernel]:
    running = Kernel()
    yield running
    running.stop()
