"""Jupyter's own suite for kernels (`jupyter_kernel_test`), every part of it."""

import jupyter_kernel_test


class TestMarginaliaKernel(jupyter_kernel_test.KernelTests):
    kernel_name = "marginalia"
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = 'console.log("hello, world")'
    code_stderr = 'console.error("oh")'
    completion_samples = [
        {"text": "Math.hyp", "matches": ["hypot"]},
        {"text": "console.tabl", "matches": ["table"]},
    ]
    complete_code_samples = [
        "1",
        "const x = 1;",
        "function f(a: number) {\n  return a;\n}",
        "const id = <T>(x: T) => x;",
        "await Promise.resolve(1)",
        "`a\nb`",
        "",
    ]
    incomplete_code_samples = [
        "function f() {",
        "const x = [1,",
        "if (true) {\n  1",
        "`template",
        "/* comment",
        "const y =",
        "f(",
        "a.",
    ]
    invalid_code_samples = ["const 1 = 2", ")", "x = = 3", "'unterminated", "function f() { ) "]
    code_page_something = "console.log?"
    code_generate_error = 'throw new Error("planned")'
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "[1, 2].map((x) => x + 1)", "result": "[ 2, 3 ]"},
        {"code": "'text'", "result": "'text'"},
        {"code": "6 * 7 - 1", "result": "41"},
    ]
    code_display_data = [
        {"code": 'import * as tslab from "tslab";\ntslab.display.html("<b>bold</b>")', "mime": "text/html"},
        {"code": 'import * as tslab from "tslab";\ntslab.display.png(new Uint8Array([1, 2]))', "mime": "image/png"},
    ]
    code_history_pattern = "6*7"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "console.log"
    code_clear_output = "console.clear()"
