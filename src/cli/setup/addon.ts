import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { runChild } from "../children.js";
import { cacheDirectory, paths, venvPython } from "../paths.js";
import { sha256, sizeOf } from "./files.js";
import { compilerObstacle, NativeUnavailable } from "./obstacle.js";
import type { StepProgress } from "./step.js";
import { lastLines, pipEnvironment } from "./venv.js";

/** The Node-API version that the addon is built for; every supported Node offers it. */
const nodeApi = 8;

const tfjsNode = join(paths.nodeModules, "@tensorflow", "tfjs-node");
const installedAddon = join(tfjsNode, "lib", `napi-v${nodeApi}`, "tfjs_binding.node");

/** What the addon depends on: its sources, and the library it is linked against. */
export function addonKey(libraryDirectory: string): string {
  const binding = join(tfjsNode, "binding");
  const sources = readdirSync(binding)
    .sort()
    .map((name) => readFileSync(join(binding, name)));
  return sha256(`napi-v${nodeApi} ${libraryDirectory}`, readFileSync(join(tfjsNode, "binding.gyp")), ...sources).slice(
    0,
    12,
  );
}

function cachedAddon(libraryDirectory: string): string {
  return join(libraryDirectory, "addon", addonKey(libraryDirectory), "tfjs_binding.node");
}

/** Whether the addon need not be compiled. */
export function hasAddon(libraryDirectory: string): boolean {
  return existsSync(cachedAddon(libraryDirectory));
}

/** Whether tfjs-node in `node_modules` is linked to this library and has its addon. */
export function isLinked(libraryDirectory: string): boolean {
  const addon = sizeOf(cachedAddon(libraryDirectory)) ?? sizeOf(installedAddon);
  return (
    addon !== undefined &&
    sizeOf(installedAddon) === addon &&
    linksTo(join(tfjsNode, "deps", "lib"), join(libraryDirectory, "lib")) &&
    linksTo(join(tfjsNode, "deps", "include"), join(libraryDirectory, "include"))
  );
}

function linksTo(link: string, target: string): boolean {
  return lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true && readlinkSync(link) === target;
}

/**
 * Links tfjs-node to the library and puts its addon in place: from the cache, or compiled with node-gyp and then cached.
 *
 * @throws NativeUnavailable without a compiler, or if the addon does not compile.
 */
export async function installAddon(libraryDirectory: string, progress: StepProgress): Promise<void> {
  for (const part of ["lib", "include"]) link(join(tfjsNode, "deps", part), join(libraryDirectory, part));
  const cached = cachedAddon(libraryDirectory);
  if (!existsSync(cached)) {
    const obstacle = compilerObstacle();
    if (obstacle) throw new NativeUnavailable(obstacle);
    const built = await compile(progress);
    try {
      copyWhole(built, cached);
    } catch {
      // A cache that may only be read costs other clones their own compilation, and nothing else.
    }
    if (built !== installedAddon) copyWhole(built, installedAddon);
    return;
  }
  copyWhole(cached, installedAddon);
}

/** Forgets the compiled addon, so that the next {@link installAddon} compiles it anew. */
export function forgetAddon(libraryDirectory: string): void {
  rmSync(dirname(cachedAddon(libraryDirectory)), { recursive: true, force: true });
}

/** Takes the addon out of tfjs-node, so that a backend that does not work is not tried at every start. */
export function removeAddon(): void {
  rmSync(installedAddon, { force: true });
}

function link(path: string, target: string): void {
  if (linksTo(path, target)) return;
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path);
}

/** Copies under a temporary name first: a process that has the old file mapped keeps it. */
function copyWhole(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  const partial = `${to}.${process.pid}.partial`;
  copyFileSync(from, partial);
  renameSync(partial, to);
}

async function compile(progress: StepProgress): Promise<string> {
  progress.report("compiling the addon");
  const headers = nodeHeaders();
  const output = join(tfjsNode, "build", "marginalia");
  const args = [
    join(paths.nodeModules, "node-gyp", "bin", "node-gyp.js"),
    "rebuild",
    // Without local headers node-gyp downloads them from nodejs.org.
    headers ? `--nodedir=${headers}` : `--devdir=${join(cacheDirectory(), "node-gyp")}`,
    `--python=${venvPython}`,
    "--module_name=tfjs_binding",
    `--module_path=${output}`,
    `--napi_build_version=${nodeApi}`,
  ];
  const environment: NodeJS.ProcessEnv = { ...pipEnvironment() };
  // macOS looks for the library under its own name, which binding.gyp does not rewrite.
  if (process.platform === "darwin")
    environment.LDFLAGS = `-Wl,-rpath,@loader_path/../../deps/lib ${environment.LDFLAGS ?? ""}`;
  const result = await runChild(process.execPath, args, { cwd: tfjsNode, environment });
  const addon = join(output, "tfjs_binding.node");
  if (result.code === 0 && existsSync(addon)) return addon;
  const details = lastLines(`${result.stdout}\n${result.stderr}`, 25);
  if (!headers && /ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|FetchError|bad response/.test(result.stderr)) {
    throw new NativeUnavailable({
      kind: "build",
      why: `the headers of Node ${process.versions.node} are neither beside ${process.execPath} nor to be had from nodejs.org`,
      remedy: "install Node from an archive that has include/node, or name such a folder in npm_config_nodedir",
      details,
    });
  }
  throw new NativeUnavailable({
    kind: "build",
    why: "the addon of tfjs-node does not compile here",
    remedy: 'see the lines that "npm run setup" prints',
    details,
  });
}

/**
 * A folder with `include/node/node_api.h`: what `npm_config_nodedir` names, the one Node itself was installed in, or the system's. The addon
 * uses Node-API alone, which is the same in every version.
 */
export function nodeHeaders(
  environment: NodeJS.ProcessEnv = process.env,
  program: string = process.execPath,
): string | undefined {
  const places = [environment.npm_config_nodedir, dirname(dirname(program)), "/usr", "/usr/local", "/opt/homebrew"];
  return places.find((place) => place && existsSync(join(place, "include", "node", "node_api.h")));
}
