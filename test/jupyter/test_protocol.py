"""The protocol beyond Jupyter's suite: counts, queues, silence, signatures, life and death."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty

import pytest
from conftest import PROJECT, Kernel

MAIN = PROJECT / "dist" / "jupyter" / "main.js"


def test_execution_counts_and_history(fresh_kernel):
    assert [fresh_kernel.run("1").reply["content"]["execution_count"] for _ in range(2)] == [1, 2]
    assert fresh_kernel.run("3", store_history=False).reply["content"]["execution_count"] == 2
    assert fresh_kernel.run("throw new Error('x')").reply["content"]["execution_count"] == 3
    reply = fresh_kernel.shell(fresh_kernel.client.history(raw=True, output=True, hist_access_type="tail", n=5))
    entries = [entry[2] for entry in reply["content"]["history"]]
    assert entries == [["1", "1"], ["1", "1"], ["throw new Error('x')", None]]


def test_silent(kernel):
    cell = kernel.run("console.log('hidden'); 5", silent=True)
    assert (cell.status, cell.messages) == ("ok", [])
    assert kernel.run("throw new Error('hidden')", silent=True).status == "error"


def test_user_expressions(kernel):
    cell = kernel.run("const base = 20;", user_expressions={"sum": "base + 1", "wrong": "missing", "later": "await Promise.resolve(2)"})
    expressions = cell.reply["content"]["user_expressions"]
    assert expressions["sum"]["data"]["text/plain"] == "21"
    assert expressions["later"]["data"]["text/plain"] == "2"
    assert (expressions["wrong"]["status"], expressions["wrong"]["ename"]) == ("error", "TypeScriptError")


def test_an_error_aborts_what_was_queued_and_nothing_after(kernel):
    for body in ("await new Promise((r) => setTimeout(r, 300));", "const end = Date.now() + 300; while (Date.now() < end);"):
        first = kernel.client.execute(body + " throw new Error('stop');")
        queued = [kernel.client.execute("console.log('must not run')") for _ in range(3)]
        assert kernel.finish(first).status == "error"
        # Sent as soon as the error is known: never lost.
        after = kernel.client.execute("'ran'")
        for msg_id in queued:
            assert kernel.shell(msg_id)["content"]["status"] == "aborted"
        assert kernel.finish(after).result == "'ran'"


def test_stop_on_error_can_be_declined(kernel):
    first = kernel.client.execute("await null; throw new Error('go on');", stop_on_error=False)
    second = kernel.client.execute("'ran'")
    assert kernel.finish(first).status == "error"
    assert kernel.finish(second).result == "'ran'"


def test_questions_are_answered_while_a_cell_awaits(kernel):
    cell = kernel.client.execute("await new Promise((r) => setTimeout(r, 3000)); 'done'")
    start = time.monotonic()
    reply = kernel.shell(kernel.client.complete("Math.hyp", 8))
    assert reply["content"]["matches"] == ["hypot"]
    assert time.monotonic() - start < 2.5
    assert kernel.finish(cell).result == "'done'"


def test_comm_info(kernel):
    assert kernel.shell(kernel.client.comm_info())["content"] == {"status": "ok", "comms": {}}


def test_unknown_messages_are_survived(kernel):
    message = kernel.client.session.msg("no_such_request", {})
    kernel.client.shell_channel.send(message)
    assert kernel.run("1 + 1").result == "2"


def test_wrong_signature_is_ignored(kernel):
    session = kernel.client.session
    key = session.key
    session.key = b"another key"
    forged = kernel.client.execute("globalThis.process.title = 'forged'; console.log('forged')")
    session.key = key
    cell = kernel.run("process.title")
    assert "forged" not in (cell.result or "")
    with pytest.raises(Empty):
        while True:
            message = kernel.client.get_iopub_msg(timeout=0.3)
            assert message["parent_header"].get("msg_id") != forged


def test_heartbeat(kernel):
    time.sleep(1.5)
    assert kernel.client.hb_channel.is_beating()


@pytest.mark.parametrize("restart", [False, True])
def test_shutdown(restart):
    kernel = Kernel()
    kernel.client.shutdown(restart=restart)
    reply = kernel.client.get_control_msg(timeout=10)
    assert reply["content"] == {"status": "ok", "restart": restart}
    deadline = time.monotonic() + 5
    while kernel.manager.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not kernel.manager.is_alive()
    kernel.stop()


def test_restart_forgets(fresh_kernel):
    fresh_kernel.run("const kept = 1;")
    fresh_kernel.manager.restart_kernel()
    fresh_kernel.client.wait_for_ready(timeout=60)
    assert fresh_kernel.run("kept").ename == "TypeScriptError"


def connection(**changes: object) -> dict[str, object]:
    ports = []
    for _ in range(5):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    names = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
    base = {"ip": "127.0.0.1", "transport": "tcp", "key": "k", "signature_scheme": "hmac-sha256", "kernel_name": ""}
    return {**base, **dict(zip(names, ports)), **changes}


def start(path: Path | str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run(["node", str(MAIN), str(path)], capture_output=True, text=True, timeout=30, env=env)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{ not json", "does not hold a JSON object"),
        ("[1]", "does not hold a JSON object"),
        (json.dumps({"ip": "127.0.0.1"}), 'has no string "transport"'),
        (json.dumps(connection(ip="0.0.0.0")), "other machines could run code"),
        (json.dumps(connection(transport="ipc")), 'use "tcp"'),
        (json.dumps(connection(signature_scheme="hmac-md5")), 'use "hmac-sha256"'),
        (json.dumps(connection(hb_port=0)), 'has no port number "hb_port"'),
    ],
)
def test_bad_connection_file(tmp_path, content, sentence):
    path = tmp_path / "connection.json"
    path.write_text(content)
    done = start(path)
    assert done.returncode == 1
    assert sentence in done.stderr and len(done.stderr.strip().split("\n")) == 1


def test_missing_connection_file_and_missing_argument(tmp_path):
    done = start(tmp_path / "none.json")
    assert (done.returncode, len(done.stderr.strip().split("\n"))) == (1, 1)
    assert "cannot be read" in done.stderr
    assert subprocess.run(["node", str(MAIN)], capture_output=True, timeout=30).returncode == 2


def test_port_in_use(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        path = tmp_path / "connection.json"
        path.write_text(json.dumps(connection(iopub_port=taken.getsockname()[1])))
        done = start(path)
    assert done.returncode == 1
    assert "cannot listen on 127.0.0.1:" in done.stderr and len(done.stderr.strip().split("\n")) == 1


@pytest.mark.parametrize("busy", [False, True])
def test_ends_when_its_parent_was_killed(tmp_path, busy):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from conftest import *; pytest_configure(); k = Kernel(); "
        "k.run('1'); print(k.manager.provisioner.pid, flush=True); "
        + ("k.client.execute('for (;;) {}'); " if busy else "")
        + "import time; time.sleep(600)"
    )
    here = str(Path(__file__).parent)
    parent = subprocess.Popen([sys.executable, "-c", script, here], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(1)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{pid}").exists()


def test_listens_on_the_given_address_only(fresh_kernel):
    pid = fresh_kernel.manager.provisioner.pid
    inodes = {os.readlink(fd)[8:-1] for fd in Path(f"/proc/{pid}/fd").iterdir() if os.readlink(fd).startswith("socket:")}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().split("\n")[1:] if line]
    listening = {row[1].split(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}
    assert listening == {"0100007F"}
