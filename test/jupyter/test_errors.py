"""Errors of cells: names, messages, and tracebacks that name the line as it was written."""

from __future__ import annotations

import re


def test_name_message_and_line(kernel):
    kernel.run("1")
    cell = kernel.run(
        "interface Shape {\n  size: number;\n}\n\n// a comment\nfunction fail(shape: Shape): never {\n\n"
        "  throw new RangeError('too big: ' + shape.size);\n}\n\n\nfail({ size: 3 });"
    )
    count = cell.reply["content"]["execution_count"]
    assert (cell.status, cell.ename, cell.evalue) == ("error", "RangeError", "too big: 3")
    assert f"at fail (cell-{count}.ts:8:9)" in cell.traceback
    assert f"at cell-{count}.ts:12:1" in cell.traceback
    assert re.search(r"8 \|   throw new RangeError.*\n\s+\|         \^", cell.traceback)
    assert [content["ename"] for content in cell.of("error")] == ["RangeError"]


def test_internals_are_trimmed(kernel):
    for code in ("throw new Error('here')", "await null; throw new Error('here')"):
        traceback = kernel.run(code).traceback
        frames = [line for line in traceback.split("\n") if line.strip().startswith("at ")]
        assert len(frames) == 1, traceback
        assert re.fullmatch(r"\s+at cell-\d+\.ts:1:\d+", frames[0])


def test_frames_of_earlier_cells_and_of_awaits(kernel):
    first = kernel.run("\nasync function later(): Promise<void> {\n  await null;\n  throw new Error('later');\n}")
    second = kernel.run("// one\n// two\nawait later();")
    one, two = (cell.reply["content"]["execution_count"] for cell in (first, second))
    assert f"at later (cell-{one}.ts:4:9)" in second.traceback
    assert f"at async cell-{two}.ts:3:1" in second.traceback


def test_variables_of_a_cell_that_threw_stay(kernel):
    kernel.run("const collected: number[] = [];\ncollected.push(1);\nthrow new Error('half-way');")
    assert kernel.run("collected").result == "[ 1 ]"


def test_causes_and_aggregates(kernel):
    cell = kernel.run(
        "throw new AggregateError([new TypeError('first'), new Error('second', { cause: new RangeError('root') })], 'both')"
    )
    assert cell.ename == "AggregateError"
    for part in ("TypeError: first", "Error: second", "Caused by:", "RangeError: root"):
        assert part in cell.traceback


def test_a_cyclic_cause_ends(kernel):
    cell = kernel.run("const loop = new Error('loop');\nloop.cause = loop;\nthrow loop;")
    assert cell.evalue == "loop"


def test_what_is_no_error(kernel):
    assert kernel.run("throw { reason: 1 };").evalue == "{ reason: 1 }"
    assert kernel.run("throw 'text';").ename == "Thrown"


def test_type_errors_all_with_line_and_caret(kernel):
    cell = kernel.run("const fine = 1;\nconst n: number = 'a';\n\nconst { m } = { m: n.foo };")
    assert cell.ename == "TypeScriptError"
    assert re.search(r"2 \| const n: number = 'a';\n\s+\|       \^", cell.traceback)
    assert "(TS2322)" in cell.traceback and "(TS2339)" in cell.traceback
    assert re.search(r"4 \| const \{ m \} = \{ m: n\.foo \};\n\s+\| {22}\^\^\^", cell.traceback)


def test_type_error_after_a_shorthand_is_under_its_place(kernel):
    kernel.run("const x = 1;")
    cell = kernel.run("const pair = { x, y: missing };")
    assert re.search(r"1 \| const pair = \{ x, y: missing \};\n\s+\| {22}\^{7}", cell.traceback)


def test_cells_are_strict(kernel):
    assert "TS7006" in kernel.run("const f = (a) => a;").traceback
    assert "TS18047" in kernel.run("let s: string | null = null as string | null;\ns.length;").traceback


def test_syntax_error(kernel):
    assert kernel.run("const = 3").ename == "TypeScriptError"


def test_unhandled_rejection_fails_the_cell(kernel):
    cell = kernel.run("void Promise.reject(new RangeError('nobody cares'));\n5")
    assert (cell.status, cell.ename, cell.evalue) == ("error", "RangeError", "nobody cares")


def test_uncaught_error_ends_a_cell_that_would_wait_for_ever(kernel):
    cell = kernel.run("await new Promise(() => setTimeout(() => {\n  throw new Error('in a timer');\n}, 10));", timeout=10)
    assert cell.evalue == "in a timer"
    assert re.search(r"cell-\d+\.ts:2:9", cell.traceback)


def test_errors_after_the_cell_are_printed(kernel):
    assert kernel.run("setTimeout(() => { throw new Error('too late'); }, 300); 1").result == "1"
    assert "too late" in kernel.late_output(1.5)
    assert kernel.run("void setTimeout(() => Promise.reject(new Error('late too')), 300);").status == "ok"
    assert "late too" in kernel.late_output(1.5)
    assert kernel.run("1 + 1").result == "2"


def test_process_exit_is_refused(kernel):
    cell = kernel.run("process.exit(3)")
    assert cell.ename == "ExitError"
    assert "would end the kernel" in cell.evalue
    assert kernel.run("1 + 1").result == "2"


def test_an_error_whose_fields_throw(kernel):
    cell = kernel.run("class Odd extends Error { get message(): string { throw new Error('no'); } }\nthrow new Odd();")
    assert cell.status == "error"
    assert kernel.run("1").result == "1"
