import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  cacheObstacle,
  choiceObstacle,
  compilerObstacle,
  platformObstacle,
  unwritable,
} from "../../../src/cli/setup/obstacle.js";
import { obstacleSentence } from "../../../src/cli/setup/setup.js";
import { wheelFor } from "../../../src/cli/setup/wheel.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "obstacle-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const wheel = wheelFor("linux", "x64")!;

describe("what stands in the way of the native backend", () => {
  it("is the user's choice of another", () => {
    expect(choiceObstacle({ MARGINALIA_BACKEND: "wasm" })?.kind).toBe("choice");
    expect(choiceObstacle({ MARGINALIA_BACKEND: "auto" })).toBeUndefined();
    expect(choiceObstacle({ MARGINALIA_BACKEND: "tensorflow" })).toBeUndefined();
    expect(choiceObstacle({})).toBeUndefined();
  });

  it("is a platform without a wheel", () => {
    expect(platformObstacle("win32", "x64")).toMatchObject({ kind: "platform" });
    expect(platformObstacle("darwin", "arm64")).toBe(wheelFor("darwin", "arm64"));
  });

  it.runIf(process.platform === "linux")("is a missing compiler or make, by name", () => {
    expect(compilerObstacle({ PATH: folder })?.why).toBe("g++ and make were not found");
    for (const name of ["make", "clang++"]) {
      writeFileSync(join(folder, name), "");
      chmodSync(join(folder, name), 0o755);
    }
    expect(compilerObstacle({ PATH: folder })?.why).toBe("g++ was not found");
    expect(compilerObstacle({ PATH: folder, CXX: "clang++ -stdlib=libc++" })).toBeUndefined();
  });

  it("is a cache without room", () => {
    expect(cacheObstacle(wheel, join(folder, "not", "yet"))).toBeUndefined();
    expect(cacheObstacle({ ...wheel, bytes: 1e18 }, folder)).toMatchObject({ kind: "disk" });
  });

  it("is a cache that cannot be written", () => {
    expect(cacheObstacle(wheel, "/proc/nothing/cache")?.kind).toMatch(/cache|disk/);
    expect(unwritable("/c", Object.assign(new Error(), { code: "EROFS" }))).toMatchObject({ kind: "cache" });
    expect(unwritable("/c", Object.assign(new Error(), { code: "ENOSPC" }))).toMatchObject({ kind: "disk" });
  });

  it("is told in one sentence", () => {
    expect(obstacleSentence({ kind: "compiler", why: "g++ was not found", remedy: "install it" })).toBe(
      "Everything runs on WebAssembly, because g++ was not found; to make it several times faster, install it.",
    );
    expect(obstacleSentence({ kind: "platform", why: "nobody makes one" })).toBe(
      "Everything runs on WebAssembly, because nobody makes one.",
    );
  });
});

it("pins every wheel by checksum and one version", () => {
  for (const [platform, arch] of [
    ["linux", "x64"],
    ["linux", "arm64"],
    ["darwin", "arm64"],
    ["darwin", "x64"],
  ] as const) {
    const pinned = wheelFor(platform, arch)!;
    expect(pinned.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(pinned.requirement.endsWith(`==${wheel.version}`)).toBe(true);
  }
});
