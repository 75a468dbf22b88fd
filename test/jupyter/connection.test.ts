import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ALLOW_REMOTE, ConnectionError, isLoopback, readConnection } from "../../src/jupyter/connection.js";

const good = {
  transport: "tcp",
  ip: "127.0.0.1",
  key: "secret",
  signature_scheme: "hmac-sha256",
  shell_port: 1001,
  control_port: 1002,
  iopub_port: 1003,
  stdin_port: 1004,
  hb_port: 1005,
};

function write(content: object): string {
  const path = join(mkdtempSync(join(tmpdir(), "connection-")), "connection.json");
  writeFileSync(path, JSON.stringify(content));
  return path;
}

describe("readConnection", () => {
  it("reads a connection file", () => {
    expect(readConnection(write(good), {})).toEqual({
      ip: "127.0.0.1",
      key: "secret",
      shellPort: 1001,
      controlPort: 1002,
      iopubPort: 1003,
      stdinPort: 1004,
      heartbeatPort: 1005,
    });
  });

  it("refuses an address that other machines can reach, unless that is allowed", () => {
    const path = write({ ...good, ip: "192.168.1.2" });
    expect(() => readConnection(path, {})).toThrow(ALLOW_REMOTE);
    expect(readConnection(path, { [ALLOW_REMOTE]: "1" }).ip).toBe("192.168.1.2");
  });

  it.each([{ key: 5 }, { shell_port: "1" }, { shell_port: 70_000 }, { transport: "ipc" }])("refuses %j", (change) => {
    expect(() => readConnection(write({ ...good, ...change }), {})).toThrow(ConnectionError);
  });
});

it("knows loopback addresses", () => {
  expect(["127.0.0.1", "127.8.0.1", "::1", "localhost"].map(isLoopback)).toEqual([true, true, true, true]);
  expect(["0.0.0.0", "::", "127.evil.example", "*"].map(isLoopback)).toEqual([false, false, false, false]);
});
