import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { download } from "../../src/data/download.js";
import { loadFile } from "../../src/data/locate.js";
import { dataFile, emptyEnvironment, put, temporaryFolder } from "./fixtures.js";

const content = new TextEncoder().encode("far away ".repeat(1000));

async function mirror(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.gz`;
}

const good: RequestListener = (_, response) => response.end(gzipSync(content));
const notFound: RequestListener = (_, response) => response.writeHead(404).end("gone");
const truncated: RequestListener = (_, response) => response.end(gzipSync(content).subarray(0, 30));
const broken: RequestListener = (_, response) => {
  response.writeHead(200, { "content-length": "50000" });
  response.write("half", () => response.destroy());
};
const other: RequestListener = (_, response) => response.end(gzipSync(content.map((byte) => byte ^ 1)));
const endless: RequestListener = (_, response) => response.end(Buffer.alloc(content.length + 70_000, 1));

function everything(folder: string): string[] {
  return statSync(folder, { throwIfNoEntry: false }) ? readdirSync(folder, { recursive: true }).map(String) : [];
}

describe("download", () => {
  it("puts the verified file in its place and nothing beside it", async () => {
    const folder = temporaryFolder();
    const lines: string[] = [];
    const address = await mirror(good);
    const result = await download(dataFile("letters/a", content, [address]), folder, (line) => lines.push(line));
    expect(result).toEqual(content);
    expect(new Uint8Array(gunzipSync(readFileSync(join(folder, "letters/a.gz"))))).toEqual(content);
    expect(everything(folder).sort()).toEqual(["letters", "letters/a.gz"]);
    expect(lines).toEqual([`Downloading ${address}`]);
  });

  it("calls a file that comes plain by its own name", async () => {
    const folder = temporaryFolder();
    const address = await mirror((_, response) => response.end(content));
    expect(await download(dataFile("letters/a", content, [address]), folder)).toEqual(content);
    expect(new Uint8Array(readFileSync(join(folder, "letters/a")))).toEqual(content);
    expect(everything(folder).sort()).toEqual(["letters", "letters/a"]);
  });

  it("goes on to the next mirror", async () => {
    const folder = temporaryFolder();
    const mirrors = [await mirror(notFound), await mirror(other), await mirror(good)];
    await download(dataFile("letters/a", content, mirrors), folder);
    expect(everything(folder)).toContain("letters/a.gz");
  });

  it.each([
    ["404", notFound, /HTTP 404/],
    ["truncated", truncated, /not whole as gzip/],
    ["broken off", broken, /127\.0\.0\.1/],
    ["other content", other, /sha256/],
    ["endless", endless, /more than \d+ bytes/],
  ])("leaves nothing behind when the answer is %s, and says so", async (_, answer, what) => {
    const folder = temporaryFolder();
    const file = dataFile("letters/a", content, [await mirror(answer)]);
    await expect(download(file, folder)).rejects.toThrow(what);
    expect(everything(folder)).toEqual([]);
  });

  it("names the cause when no one listens", async () => {
    const file = dataFile("letters/a", content, ["http://127.0.0.1:9/a.gz"]);
    await expect(download(file, temporaryFolder())).rejects.toThrow(/127\.0\.0\.1:9: .*(ECONNREFUSED|bad port)/);
  });
});

describe("loadFile with a mirror", () => {
  it("downloads into the cache once", async () => {
    const environment = emptyEnvironment();
    let requests = 0;
    const address = await mirror((_, response) => {
      requests++;
      response.end(gzipSync(content));
    });
    const file = dataFile("letters/a", content, [address]);
    for (let visit = 0; visit < 2; visit++) {
      expect(await loadFile(file, { environment, report: () => {} })).toEqual(content);
    }
    expect(requests).toBe(1);
    expect(everything(environment.MARGINALIA_CACHE)).toContain("data/letters/a.gz");
  });

  it("names the failed download beside the folders", async () => {
    const environment = emptyEnvironment();
    const file = dataFile("letters/a", content, [await mirror(notFound)]);
    await expect(loadFile(file, { environment, report: () => {} })).rejects.toThrow(
      /not found in .*MARGINALIA_DATA.*cache.*the download failed \(127\.0\.0\.1:\d+: HTTP 404\); set MARGINALIA_DATA/,
    );
  });

  it("does not write over a file in the way of the cache folder", async () => {
    const environment = emptyEnvironment();
    put(environment.MARGINALIA_CACHE, "data", new Uint8Array(1));
    const file = dataFile("letters/a", content, [await mirror(good)]);
    await expect(loadFile(file, { environment, report: () => {} })).rejects.toThrow(/the download failed \(E/);
  });
});
