import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, dirname, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from "vitest";
import { jupyterEnvironment } from "../../src/cli/environment.js";
import { labArguments } from "../../src/cli/lab.js";
import { paths, venvPython } from "../../src/cli/paths.js";
import { readShelf } from "../../src/cli/reproduce/shelf.js";
import { findProgram } from "../../src/cli/setup/python.js";
import { keptFolder, readJson, until } from "./support.js";

interface Output {
  readonly output_type: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly ename?: string;
  readonly evalue?: string;
}

interface Executed {
  readonly cells: readonly {
    readonly cell_type: string;
    readonly source: string | readonly string[];
    readonly execution_count?: number | null;
    readonly outputs?: readonly Output[];
  }[];
}

const program = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
  .map((name) => findProgram(name))
  .find(Boolean);
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("No port was given.");
  return address.port;
}

const isLoopback = (url: string): boolean => ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname);

describe.skipIf(program === undefined)("JupyterLab in Chromium", () => {
  // A copy, since JupyterLab saves by itself; below the project, so that its imports resolve.
  const folder = keptFolder("browser");
  const screenshot = join(dirname(folder), "jupyterlab.png");
  const outside: string[] = [];
  let server: ChildProcess;
  let browser: Browser;
  let page: Page;
  let notebook: string;
  let log = "";

  beforeAll(async () => {
    const original = readShelf(paths.notebooks)[0]!;
    notebook = join(folder, basename(original.path));
    copyFileSync(original.path, notebook);
    const settings = join(folder, "settings", "@jupyterlab", "notebook-extension");
    mkdirSync(settings, { recursive: true });
    // Cells out of sight would otherwise not be drawn.
    writeFileSync(join(settings, "tracker.jupyterlab-settings"), JSON.stringify({ windowingMode: "none" }));
    const port = await freePort();
    const args = labArguments({ port, browser: false }, undefined).map((argument) =>
      argument.startsWith("--ServerApp.root_dir=") ? `--ServerApp.root_dir=${folder}` : argument,
    );
    server = spawn(venvPython, args, {
      cwd: folder,
      env: {
        ...jupyterEnvironment(),
        JUPYTERLAB_SETTINGS_DIR: join(folder, "settings"),
        JUPYTERLAB_WORKSPACES_DIR: join(folder, "workspaces"),
        JUPYTER_RUNTIME_DIR: join(folder, "runtime"),
        MARGINALIA_PROFILE: "quick",
        MARGINALIA_OUTPUT: join(folder, "figures"),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [server.stdout!, server.stderr!]) {
      stream.on("data", (chunk) => {
        log += chunk;
      });
    }
    await until(
      () => /http:\/\/127\.0\.0\.1:\d+\/\S*token=/.test(log) || server.exitCode !== null,
      90,
      "JupyterLab listens",
    );
    const token = /token=([0-9a-f]+)/.exec(log)?.[1];
    if (token === undefined) throw new Error(`JupyterLab did not start:\n${log}`);

    browser = await chromium.launch({ executablePath: program!, headless: true, args: flags });
    const context = await browser.newContext({ viewport: { width: 1280, height: 1600 } });
    await context.route(
      (url) => /^(https?|wss?):$/.test(url.protocol) && !isLoopback(url.href),
      (route) => {
        outside.push(route.request().url());
        return route.abort();
      },
    );
    page = await context.newPage();
    page.on("websocket", (socket) => {
      if (!isLoopback(socket.url())) outside.push(socket.url());
    });
    await page.goto(`http://127.0.0.1:${port}/lab/tree/${basename(notebook)}?token=${token}`);
  });

  afterAll(async () => {
    writeFileSync(join(folder, "server.log"), log);
    await browser?.close();
    if (server && server.exitCode === null) {
      const gone = new Promise((done) => server.once("exit", done));
      server.kill("SIGTERM");
      await gone;
    }
  });

  it("opens a notebook, runs all of it and draws its charts", async () => {
    onTestFailed(async () => {
      await page.screenshot({ path: screenshot });
    });
    const cells = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell");
    await cells.first().waitFor({ timeout: 90_000 });
    // The status bar tells it last; without a kernel, Run All asks which one.
    await page.getByText("TypeScript (marginalia) | Idle").waitFor({ timeout: 60_000 });
    await page.locator(".lm-MenuBar-itemLabel", { hasText: /^Run$/ }).click();
    await page.locator(".lm-Menu-itemLabel", { hasText: /^Run All Cells$/ }).click();

    const chart = page.locator(".vega-embed svg, .vega-embed canvas").first();
    await chart.waitFor({ state: "visible", timeout: 60_000 });
    await expect
      .poll(() => page.locator(".jp-CodeCell .jp-InputPrompt", { hasText: "[*]" }).count(), {
        timeout: 120_000,
        interval: 500,
      })
      .toBe(0);
    await chart.scrollIntoViewIfNeeded();
    const box = await chart.boundingBox();
    expect(box!.width).toBeGreaterThan(100);
    expect(box!.height).toBeGreaterThan(50);
    await page.screenshot({ path: screenshot });
    expect(
      await page
        .locator(
          ".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr'], .jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']",
        )
        .allInnerTexts(),
    ).toEqual([]);
  });

  it("leaves every cell executed without an error, as saved", async () => {
    const before = readFileSync(notebook, "utf8");
    await page.locator(".jp-Notebook").first().click();
    await page.keyboard.press("Control+s");
    // The server writes in place: what is read in the middle of it is cut off.
    const saved = (): boolean => {
      const text = readFileSync(notebook, "utf8");
      return text !== before && text.endsWith("}\n");
    };
    await until(saved, 30, "JupyterLab has saved the notebook");
    const code = readJson<Executed>(notebook).cells.filter(
      ({ cell_type, source }) => cell_type === "code" && source.length > 0,
    );
    const outputs = code.flatMap((cell) => cell.outputs ?? []);
    expect(outputs.filter(({ output_type }) => output_type === "error")).toEqual([]);
    expect(code.every(({ execution_count }) => (execution_count ?? 0) > 0)).toBe(true);
    const charts = outputs.filter(({ data }) => data && "application/vnd.vegalite.v5+json" in data);
    expect(charts.length).toBeGreaterThan(0);
    expect(await page.locator(".vega-embed").count()).toBeGreaterThanOrEqual(charts.length);
    expect(existsSync(screenshot)).toBe(true);
  });

  it("asked nothing of any machine but this one", () => {
    expect(outside).toEqual([]);
  });
});
