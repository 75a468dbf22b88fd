"""The language of cells: variables of earlier cells, imports, awaits."""

from __future__ import annotations

import tempfile
from pathlib import Path

from conftest import PROJECT, Kernel


def test_shorthand_properties_of_earlier_variables(kernel):
    kernel.run("let x = 6; const point = { a: 5, b: { c: 7 } }; let a = 0, c = 0, d = 0;")
    assert kernel.run("({ x })").result == "{ x: 6 }"
    assert kernel.run("({ a, d = 9 } = point as { a: number; d?: number }); [a, d]").result == "[ 5, 9 ]"
    assert kernel.run("({ b: { c } } = point); c").result == "7"
    assert kernel.run("const f = ({ x }: { x: number }) => ({ x, y: x + 1 }); f({ x })").result == "{ x: 6, y: 7 }"


def test_assignments_to_earlier_variables(kernel):
    kernel.run("let counter = 1;")
    kernel.run("counter = 10;\ncounter++;")
    assert kernel.run("counter").result == "11"


def test_top_level_awaits_in_every_position(kernel):
    kernel.run("const later = async <T>(x: T): Promise<T> => x;")
    cell = kernel.run(
        "const list = [await later(1), ...(await later([2]))];\n"
        "const { length = await later(0) } = await later(`${await later('abc')}`);\n"
        "let sum = 0;\nfor (const x of await later([1, 2, 3])) { if (await later(x > 1)) sum += await later(await later(x)); }\n"
        "label: for (;;) { try { await later(0); break label; } finally { sum += (await later({ v: 100 })).v; } }\n"
        "class Made { key = 1; static async make() { return await later(new Made()); } }\n"
        "[list, length, sum, await Made.make(), (await later(() => 5))()]"
    )
    assert cell.status == "ok", cell.traceback
    assert cell.result == "[ [ 1, 2 ], 3, 105, Made { key: 1 }, 5 ]"


def test_for_await(kernel):
    cell = kernel.run(
        "let closed = '';\nasync function* numbers() { try { for (let i = 0; ; i++) yield i; } finally { closed = 'closed'; } }\n"
        "let total = 0;\nfor await (const n of numbers()) { if (n > 3) break; total += n; }\n"
        "for await (const p of [Promise.resolve(100)]) total += p;\n[total, closed]"
    )
    assert cell.result == "[ 106, 'closed' ]"
    inner = "async function all() { let s = 0; for await (const n of [1, Promise.resolve(2)]) s += n; return s; }\nawait all()"
    assert kernel.run(inner).result == "3"


def test_modules_with_a_top_level_await(kernel):
    assert kernel.run("const vega = await import('vega'); typeof vega.parse").result == "'function'"
    assert kernel.run("typeof vega.View").result == "'function'"
    assert kernel.run("import * as v from 'vega';\ntypeof v.parse").result == "'function'"
    assert kernel.run("import { parse } from 'vega';\ntypeof parse").result == "'function'"


def test_other_imports(kernel):
    assert kernel.run("import { basename } from 'node:path';\nbasename('/a/b')").result == "'b'"
    assert kernel.run("const path = await import('node:path'); path.basename('/a/c')").result == "'c'"
    assert kernel.run("import seedrandom from 'seedrandom';\ntypeof seedrandom('x')()").result == "'number'"
    name = kernel.run("const name = 'node:os' as string;\ntypeof (await import(name)).cpus")
    assert name.result == "'function'"
    assert "Cannot find module" in kernel.run("import 'no-such-package-at-all';").traceback


def test_files_that_change_under_a_running_cell():
    """The compiler watches what cells import; a rebuild or an install beside an open notebook must not reach its cells as errors."""
    with tempfile.TemporaryDirectory(dir=PROJECT / ".marginalia", prefix="watched-") as name:
        folder = Path(name)
        package = folder / "node_modules" / "watched"
        package.mkdir(parents=True)
        (package / "index.d.ts").write_text("export const one: number;\n")
        (package / "index.js").write_text("exports.one = 1;\n")
        kernel = Kernel(cwd=str(folder))
        try:
            assert kernel.run("import { one } from 'watched';\nimport { randomKey } from 'marginalia';\none").result == "1"
            changes = (
                "import { linkSync, mkdirSync, writeFileSync } from 'node:fs';\n"
                "const pause = () => new Promise((resolve) => setTimeout(resolve, 1500));\n"
                "linkSync('node_modules/watched/index.d.ts', 'node_modules/watched/same.d.ts');\n"
                "await pause();\n"
                "mkdirSync('node_modules/@types/node', { recursive: true }); // where the compiler looked in vain\n"
                "await pause();\n"
                "writeFileSync('node_modules/watched/index.d.ts', 'export const one: number;\\nexport const two: number;\\n');\n"
                "await pause();\n'went on'"
            )
            cell = kernel.run(changes)
            assert cell.status == "ok", cell.traceback
            assert cell.result == "'went on'"
            assert kernel.run("import { two } from 'watched';\none + 1").result == "2"
        finally:
            kernel.stop()


def test_awaited_calls_of_imported_functions(kernel):
    cell = kernel.run("import { setTimeout as delay } from 'node:timers/promises';\nawait delay(1, 'slept')")
    assert cell.result == "'slept'"


def test_the_library_by_its_name(kernel):
    # Any run-time export will do: the test is about resolution, types and code from the compiled package.
    cell = kernel.run("import { randomKey } from 'marginalia';\nrandomKey(1)")
    assert cell.status == "ok", cell.traceback
    wrong = kernel.run("randomKey({ not: 'a seed' });")
    assert wrong.ename == "TypeScriptError"


def test_frames_of_the_library_are_mapped_to_its_source(kernel):
    cell = kernel.run("import { randomKey } from 'marginalia';\nrandomKey(Number.NaN);")
    assert cell.status == "error"
    assert "(src/engine/random.ts:" in cell.traceback, cell.traceback


def test_documentation_of_the_library(kernel):
    kernel.run("import { randomKey } from 'marginalia';")
    for code in ("randomKey", "randomKey("):
        reply = kernel.shell(kernel.client.inspect(code))["content"]
        assert reply["found"]
        assert "randomKey(seed: " in reply["data"]["text/plain"]
        assert "```typescript" in reply["data"]["text/markdown"]
        assert len(reply["data"]["text/plain"].split("\n\n")) > 1


def test_completions_count_code_points(kernel):
    kernel.run("const alphabet = 1;")
    code = "'𝒩𝒩'; alphab"
    reply = kernel.shell(kernel.client.complete(code, len(code)))["content"]
    assert reply["matches"] == ["alphabet"]
    assert (reply["cursor_start"], reply["cursor_end"]) == (len(code) - 6, len(code))
