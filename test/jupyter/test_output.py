"""What cells print, display and return."""

from __future__ import annotations

import time

DISPLAY = "const show = (globalThis as unknown as Record<symbol, (bundle: object, update: boolean) => void>)[Symbol.for('marginalia.display')]!;"


def test_twenty_thousand_lines_arrive_in_order(kernel):
    cell = kernel.run("for (let i = 0; i < 20_000; i++) console.log(i);")
    assert cell.stream("stdout") == "".join(f"{i}\n" for i in range(20_000))
    assert len(cell.of("stream")) < 1000


def test_streams_keep_their_order(kernel):
    cell = kernel.run("for (let i = 0; i < 50; i++) (i % 2 ? console.error : console.log)(i);")
    assert "".join(content["text"] for content in cell.of("stream")) == "".join(f"{i}\n" for i in range(50))
    assert cell.stream("stderr").split() == [str(i) for i in range(1, 50, 2)]


def test_many_messages_of_one_synchronous_run_all_arrive(kernel):
    # Each line of the other stream is a message of its own; ZeroMQ left to itself puts off one in 513 and refuses the next.
    cell = kernel.run("for (let i = 0; i < 1200; i++) (i % 2 ? console.error : console.log)(i);")
    assert "".join(content["text"] for content in cell.of("stream")) == "".join(f"{i}\n" for i in range(1200))


def test_direct_writes_with_bytes_encodings_and_callbacks(kernel):
    cell = kernel.run(
        "process.stdout.write('a');\nprocess.stdout.write(Buffer.from([0xe2, 0x82]));\nprocess.stdout.write(Buffer.from([0xac]));\n"
        "process.stdout.write('Yg==', 'base64');\nawait new Promise<void>((done) => process.stderr.write('c', () => done()));"
    )
    assert (cell.stream("stdout"), cell.stream("stderr")) == ("a€b", "c")


def test_native_writes_to_the_descriptors_break_nothing(kernel):
    cell = kernel.run(
        "import { writeSync } from 'node:fs';\nwriteSync(2, 'native\\n');\nwriteSync(1, 'native\\n');\nconsole.log('after');"
    )
    assert (cell.status, cell.stream("stdout")) == ("ok", "after\n")


def test_text_appears_before_a_long_computation(kernel):
    kernel.run("1")
    msg_id = kernel.client.execute(
        "console.log('first');\nconst until = Date.now() + 2000;\nwhile (Date.now() < until);\nconsole.log('second');"
    )
    seen = {}
    start = time.monotonic()
    while len(seen) < 2:
        message = kernel.client.get_iopub_msg(timeout=30)
        if message["msg_type"] == "stream":
            seen[message["content"]["text"]] = time.monotonic() - start
    assert seen["second\n"] - seen["first\n"] > 1.5
    kernel.finish(msg_id)


def test_output_after_the_cell_still_arrives(kernel):
    kernel.run("void setTimeout(() => console.log('later'), 300);")
    assert kernel.late_output(1.5) == "later\n"


def test_result_is_an_execute_result(kernel):
    cell = kernel.run("({ a: 1 })")
    assert cell.result == "{ a: 1 }"
    assert cell.of("stream") == []
    assert kernel.run("undefined").of("execute_result") == []
    assert kernel.run("const quiet = 3;").of("execute_result") == []


def test_a_value_may_say_how_it_is_shown(kernel):
    cell = kernel.run("({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<i>x</i>' }) })")
    data = cell.of("execute_result")[0]["data"]
    assert data["text/html"] == "<i>x</i>" and "text/plain" in data


def test_a_value_that_cannot_be_shown_is_an_error(kernel):
    cell = kernel.run("({ [Symbol.for('Jupyter.display')]: () => { throw new TypeError('shy'); } })")
    assert (cell.status, cell.ename) == ("error", "TypeError")


def test_display_hook(kernel):
    kernel.run(DISPLAY)
    cell = kernel.run(
        "console.log('before');\n"
        "show({ data: { 'text/plain': 'p', 'image/png': Buffer.from([1, 2, 3]) }, transient: { display_id: 'd' } }, false);\n"
        "show({ data: { 'text/plain': 'q' }, transient: { display_id: 'd' } }, true);\nconsole.log('after');"
    )
    kinds = [kind for kind, _ in cell.messages if kind != "execute_input"]
    assert kinds == ["stream", "display_data", "update_display_data", "stream"]
    assert cell.of("display_data")[0]["data"]["image/png"] == "AQID"
    assert cell.of("update_display_data")[0]["transient"] == {"display_id": "d"}


def test_tslab_displays(kernel):
    cell = kernel.run(
        "import * as tslab from 'tslab';\ntslab.display.html('<b>x</b>');\nconst live = tslab.newDisplay();\nlive.text('1');\nlive.text('2');"
    )
    assert cell.of("display_data")[0]["data"] == {"text/html": "<b>x</b>"}
    first, update = cell.of("display_data")[1], cell.of("update_display_data")[0]
    assert first["transient"] == update["transient"] and update["data"] == {"text/plain": "2"}


def test_warnings_are_printed_but_for_experimental_ones(kernel):
    cell = kernel.run(
        "process.emitWarning('mind', 'DeprecationWarning');\nprocess.emitWarning('new', 'ExperimentalWarning');\n"
        "await new Promise((resolve) => setTimeout(resolve, 20));"
    )
    assert cell.stream("stderr") == "DeprecationWarning: mind\n"
