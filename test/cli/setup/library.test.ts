import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { paths, venvPython } from "../../../src/cli/paths.js";
import { sha256 } from "../../../src/cli/setup/files.js";
import { hasLibrary, libraryDirectory, libraryIsIntact, linkName } from "../../../src/cli/setup/library.js";
import { wheelFor } from "../../../src/cli/setup/wheel.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "library-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function install(content: string): void {
  mkdirSync(join(folder, "lib"));
  writeFileSync(join(folder, "lib", "a.so"), content);
  const files = [{ path: "lib/a.so", bytes: content.length, sha256: sha256(content) }];
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ files }));
}

describe("the cached library", () => {
  it("is there only with its manifest and every file in full", async () => {
    expect(hasLibrary(folder)).toBe(false);
    install("machine code");
    expect(hasLibrary(folder)).toBe(true);
    expect(await libraryIsIntact(folder)).toBe(true);
    writeFileSync(join(folder, "lib", "a.so"), "machine");
    expect(hasLibrary(folder)).toBe(false);
    rmSync(join(folder, "manifest.json"));
    expect(hasLibrary(folder)).toBe(false);
  });

  it("is not intact if a byte differs", async () => {
    install("machine code");
    writeFileSync(join(folder, "lib", "a.so"), "machine kode");
    expect(hasLibrary(folder)).toBe(true);
    expect(await libraryIsIntact(folder)).toBe(false);
  });

  it("has a folder of its own for each wheel", () => {
    const x64 = libraryDirectory(wheelFor("linux", "x64")!, "/cache");
    expect(x64).toMatch(/^\/cache\/native\/2\.15\.1-.*-54660c07$/);
    expect(libraryDirectory(wheelFor("linux", "arm64")!, "/cache")).not.toBe(x64);
  });

  it("is linked under the names that binding.gyp asks for", () => {
    expect(linkName("libtensorflow_cc.so.2")).toBe("libtensorflow.so");
    expect(linkName("libtensorflow_framework.so.2")).toBe("libtensorflow_framework.so");
    expect(linkName("libtensorflow_cc.2.dylib")).toBe("libtensorflow.2.dylib");
    expect(linkName("libtensorflow_framework.2.dylib")).toBe("libtensorflow_framework.2.dylib");
  });
});

describe.runIf(existsSync(venvPython))("unpack_wheel.py", () => {
  const makeWheel = (): string => {
    const wheel = join(folder, "w.whl");
    const members = [
      "tensorflow/libtensorflow_cc.so.2",
      "tensorflow/include/tensorflow/c/c_api.h",
      "tensorflow/include/tsl/platform/status.h",
      "tensorflow/include/google/protobuf/any.h",
      "tensorflow/python/ops.py",
    ];
    const script =
      "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as z:\n  for n in sys.argv[2:]: z.writestr(n, n)";
    execFileSync(venvPython, ["-c", script, wheel, ...members]);
    return wheel;
  };

  it("takes the libraries and their headers, and nothing else", () => {
    const target = join(folder, "out");
    const lines = execFileSync(venvPython, [join(paths.python, "unpack_wheel.py"), makeWheel(), target], {
      encoding: "utf8",
    });
    const files = readdirSync(target, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map((file) => file.name).sort()).toEqual(["c_api.h", "libtensorflow_cc.so.2", "status.h"]);
    expect(readFileSync(join(target, "include/tensorflow/c/c_api.h"), "utf8")).toBe(
      "tensorflow/include/tensorflow/c/c_api.h",
    );
    const [done, all] = lines.trim().split("\n").at(-1)!.split(" ");
    expect(done).toBe(all);
  });

  it("refuses a damaged wheel", () => {
    const wheel = makeWheel();
    const bytes = readFileSync(wheel);
    bytes[bytes.indexOf("tensorflow/libtensorflow_cc.so.2") + 34] ^= 1;
    writeFileSync(wheel, bytes);
    const unpack = () =>
      execFileSync(venvPython, [join(paths.python, "unpack_wheel.py"), wheel, join(folder, "out")], { stdio: "pipe" });
    expect(unpack).toThrow(/BadZipFile|Bad CRC/);
  });
});
