import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { heatmaps } from "../../src/notebook/heatmaps.js";
import { lineChart } from "../../src/notebook/lineChart.js";
import { notebook } from "../../src/notebook/notebook.js";
import { writeReport } from "../../src/notebook/report.js";
import { temporaryFolder } from "./temporary.js";

const folder = temporaryFolder();
const browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);
const evil = `</script><script>document.title = "broken"</script><img src=x onerror="document.title='broken'">`;

beforeEach(async () => {
  vi.stubEnv("MARGINALIA_BACKEND", "cpu");
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const nb = await notebook("iwae/02-the-bound", { profile: "quick", output: folder.path });
  const rows = [1, 2, 5].map((k) => ({ k, v: -1 / k, note: evil }));
  await nb.figure("bound", {
    ...lineChart({ rows, x: { field: "k", title: "</script><b>k" }, y: { field: "v", title: "bound, nats" } }),
    caption: `A bound. ${evil}`,
    alt: evil,
  });
  const axis = { title: "z", from: 0, to: 1, points: 3 };
  const panels = [{ title: "density", values: [0, 1, 2, 3, 4, 5, 6, 7, 8] }];
  await nb.figure("heat", { ...heatmaps({ panels, x: axis, y: axis }), caption: "A density.", alt: "A density." });
  await nb.table("values", rows, { caption: `Values. ${evil}` });
  nb.claim({
    id: "a",
    where: evil,
    statement: evil,
    measured: { value: 1 },
    holds: { kind: "atLeast", value: 0 },
    published: { value: 1, source: evil },
  });
  await nb.finish();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("the report", () => {
  it("is one page that names nothing outside itself", async () => {
    const html = await readFile(await writeReport({ output: folder.path }), "utf8");
    const scripts = html.match(/<script\b[^>]*>/g)!;
    expect(scripts.filter((tag) => tag.includes("src"))).toEqual([]);
    // Three libraries, the page's own script, and one chart for each figure: a caption could add none.
    expect(scripts).toHaveLength(4 + 2);
    expect(html.match(/<\/script>/g)).toHaveLength(scripts.length);
    const page = html.replace(/<script\b[\s\S]*?<\/script>/g, "");
    expect(page).not.toMatch(/https?:|<link|<iframe|<img|url\((?!data:)/);
    expect(page).toContain("default-src 'none'");
    expect(page).toContain("&lt;/script&gt;");
    expect(html.length).toBeLessThan(3e6);
  });

  it("says which figure is missing or damaged", async () => {
    await rm(join(folder.path, "iwae/02-the-bound/heat.vl.json"));
    await writeFile(join(folder.path, "iwae/02-the-bound/values.table.json"), "{");
    const html = await readFile(await writeReport({ output: folder.path }), "utf8");
    expect(html).toContain("The figure heat is missing or damaged.");
    expect(html).toContain("The table values is missing or damaged.");
  });

  it("can be written before anything was run", async () => {
    const html = await readFile(await writeReport({ output: join(folder.path, "none") }), "utf8");
    expect(html).toContain("No notebook has been run yet.");
  });

  it.skipIf(browser === undefined)(
    "draws its figures in a browser from disk, asks for nothing and runs no caption",
    async () => {
      const path = await writeReport({ output: folder.path });
      const flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ];
      const running = await chromium.launch({ executablePath: browser!, args: flags });
      try {
        const context = await running.newContext({ offline: true });
        const page = await context.newPage();
        const requests: string[] = [];
        const complaints: string[] = [];
        page.on("request", (request) => requests.push(request.url().slice(0, 80)));
        page.on("console", (message) => complaints.push(message.text()));
        page.on("pageerror", (error) => complaints.push(error.message));
        await page.goto(pathToFileURL(path).href);
        await page.waitForFunction("document.querySelectorAll('[data-drawn]').length === 2", undefined, {
          timeout: 30_000,
        });
        expect(await page.locator("figure svg").count()).toBe(2);
        expect(await page.locator("figure svg image").count()).toBe(1);
        expect(await page.locator("figure svg text", { hasText: "bound, nats" }).count()).toBe(1);
        expect(await page.title()).toBe("marginalia: report");
        expect(requests.filter((url) => !url.startsWith("data:"))).toEqual([pathToFileURL(path).href]);
        expect(complaints).toEqual([]);
      } finally {
        await running.close();
      }
    },
  );
});
