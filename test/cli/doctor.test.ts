import { expect, it, vi } from "vitest";
import { examine, formatFindings } from "../../src/cli/doctor.js";

it("marks what is broken, says what to do, and counts", () => {
  vi.stubEnv("NO_COLOR", "1");
  const text = formatFindings([
    { topic: "Node", what: "node", state: "ok", value: "20.20.2" },
    { topic: "Node", what: "tslab", state: "broken", value: "not installed", advice: 'run "npm ci"' },
    { topic: "Tests", what: "Chromium", state: "could be better", value: "not found" },
  ]);
  vi.unstubAllEnvs();
  expect(text).toBe(`Node
  ✓ node      20.20.2
  ✗ tslab     not installed
              → run "npm ci"

Tests
  ! Chromium  not found

1 thing to mend, marked ✗.
`);
});

it("reports this machine as it is", async () => {
  vi.stubEnv("MARGINALIA_DATA", "/nowhere/at/all");
  const findings = await examine();
  vi.unstubAllEnvs();
  const find = (what: string) => findings.find((finding) => finding.what === what);
  expect(find("node")?.value).toContain(process.versions.node);
  expect(find("typescript")).toMatchObject({ state: "ok", value: "5.9.3" });
  expect(find("backend")?.value).toMatch(/^(tensorflow|wasm|cpu) \d/);
  expect(find("MARGINALIA_DATA")).toMatchObject({ state: "broken" });
});
