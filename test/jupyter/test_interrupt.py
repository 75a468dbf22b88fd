"""Interrupts, by the signal that Jupyter sends and by request."""

from __future__ import annotations

import time

import pytest

SLEEP = "const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));"

LOOPS = {
    "synchronous loop": "console.log('started');\nfor (;;) {}",
    "synchronous loop after an await": "await sleep(5);\nconsole.log('started');\nfor (;;) {}",
    "synchronous loop of a function": "function spin() { for (;;) {} }\nconsole.log('started');\nawait null;\nspin();",
    "awaited loop": "console.log('started');\nfor (;;) { await sleep(10); console.log('tick'); }",
    "awaited loop of a function": (
        "async function loop() { for (;;) { await sleep(10); console.log('tick'); } }\nconsole.log('started');\nawait loop();"
    ),
    "loop that catches everything": (
        "console.log('started');\nfor (;;) { try { await sleep(10); } catch { console.log('caught'); } }"
    ),
    "function that catches everything": (
        "async function loop() { for (;;) { try { await sleep(10); console.log('tick'); } catch { } } }\n"
        "console.log('started');\nawait loop();"
    ),
    "for await": (
        "async function* ticks() { for (;;) { await sleep(10); yield 1; } }\nconsole.log('started');\n"
        "for await (const t of ticks()) console.log('tick', t);"
    ),
    "await that never settles": "console.log('started');\nawait new Promise(() => {});",
}


@pytest.mark.parametrize("name", LOOPS)
def test_stops(kernel, name):
    kernel.run(SLEEP)
    cell = kernel.interrupt_after(LOOPS[name])
    assert (cell.status, cell.ename) == ("error", "KeyboardInterrupt")
    assert "tick" not in kernel.late_output(0.5)
    after = kernel.run("6 * 7")
    assert (after.status, after.result) == ("ok", "42")
    assert after.of("stream") == []


def test_library_loop_sees_its_own_signal_also_in_later_cells(kernel):
    kernel.run(SLEEP)
    kernel.run(
        "const signal = () => (globalThis as unknown as Record<symbol, AbortSignal>)[Symbol.for('marginalia.interrupt')]!;\n"
        "const record = { steps: 0, ended: '' };"
    )
    # Compiled by `Function`, as a library is, out of reach of what the kernel does to cells.
    kernel.run(
        "const train = new Function('signal', 'record', `return (async () => { for (;;) { "
        "await new Promise((resolve) => setTimeout(resolve, 700)); record.steps++; "
        "if (signal().aborted) { record.ended = signal().reason.name; return; } } })()`) as "
        "(a: typeof signal, b: typeof record) => Promise<void>;"
    )
    cell = kernel.interrupt_after("console.log('started');\nawait train(signal, record);", seconds=0.2)
    assert cell.ename == "KeyboardInterrupt"
    # The next cell starts while the step of the interrupted one still runs.
    assert kernel.run("await sleep(1500); record.ended").result == "'KeyboardInterrupt'"


def test_training_stops_at_its_next_step(kernel):
    kernel.run(
        "import { adam, densityProblem, elbo, fit, meanFieldGaussian, normalLogDensity, randomKey, ready } from 'marginalia';\n"
        "await ready();\n"
        "let steps = 0;\n"
        "const family = meanFieldGaussian({ dimension: 2 });\n"
        "const problem = densityProblem({ family, logDensity: (z) => normalLogDensity(z, 1, 2, 1) });"
    )
    cell = kernel.interrupt_after(
        "console.log('started');\n"
        "await fit({ problem, init: { phi: family.init(randomKey(1)) }, bound: elbo, samples: 4,\n"
        "  optimizer: adam({ learningRate: 0.01 }), steps: 10_000_000, key: randomKey(2), stop: () => { steps++; return false; } });",
        seconds=1,
    )
    assert (cell.status, cell.ename) == ("error", "KeyboardInterrupt")
    taken = int(kernel.run("steps").result)
    time.sleep(0.5)
    assert int(kernel.run("steps").result) == taken > 0


def test_finally_runs(kernel):
    kernel.run(SLEEP + "\nlet cleaned = false;")
    kernel.interrupt_after("try { console.log('started'); await sleep(60_000); } finally { cleaned = true; }")
    assert kernel.run("cleaned").result == "true"


def test_names_the_line(kernel):
    kernel.run(SLEEP)
    cell = kernel.interrupt_after("console.log('started');\n\nawait sleep(60_000);")
    count = cell.reply["content"]["execution_count"]
    assert f"at async cell-{count}.ts:3:1" in cell.traceback


def test_while_idle_changes_nothing(kernel):
    kernel.run("const kept = 5;")
    kernel.manager.interrupt_kernel()
    time.sleep(0.3)
    assert kernel.run("kept").result == "5"


def test_by_request(kernel):
    kernel.run(SLEEP)
    msg_id = kernel.client.execute("for (;;) await sleep(10);")
    time.sleep(0.7)
    client = kernel.client
    request = client.session.msg("interrupt_request", {})
    client.control_channel.send(request)
    reply = client.get_control_msg(timeout=10)
    assert (reply["msg_type"], reply["content"]["status"]) == ("interrupt_reply", "ok")
    assert kernel.finish(msg_id, timeout=10).ename == "KeyboardInterrupt"


def test_many_in_a_row(kernel):
    kernel.run(SLEEP)
    for _ in range(5):
        assert kernel.interrupt_after(LOOPS["synchronous loop"], seconds=0.05).ename == "KeyboardInterrupt"
        assert kernel.interrupt_after(LOOPS["awaited loop"], seconds=0.05).ename == "KeyboardInterrupt"
    assert kernel.run("1").result == "1"
