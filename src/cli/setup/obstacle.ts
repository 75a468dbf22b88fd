import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { codeOf } from "../failure.js";
import { cacheDirectory } from "../paths.js";
import { formatBytes } from "../terminal.js";
import { freeBytes } from "./files.js";
import { findProgram } from "./python.js";
import { type Wheel, wheelFor } from "./wheel.js";

/** Why the native backend cannot be had here; not an error, for everything runs without it. */
export interface Obstacle {
  readonly kind: "choice" | "platform" | "compiler" | "python" | "cache" | "disk" | "download" | "build" | "check";
  /** A clause: what is in the way. */
  readonly why: string;
  /** A clause: what to do about it; absent where there is nothing. */
  readonly remedy?: string;
  /** A program's last lines, shown by an explicit set-up. */
  readonly details?: string;
}

/** Carries an {@link Obstacle} up to where the set-up settles for another backend. */
export class NativeUnavailable extends Error {
  override readonly name = "NativeUnavailable";

  constructor(readonly obstacle: Obstacle) {
    super(obstacle.why);
  }
}

/** The user's own choice of another backend. */
export function choiceObstacle(environment: NodeJS.ProcessEnv = process.env): Obstacle | undefined {
  const choice = environment.MARGINALIA_BACKEND;
  if (!choice || choice === "auto" || choice === "tensorflow") return undefined;
  return { kind: "choice", why: `MARGINALIA_BACKEND is "${choice}"`, remedy: "unset it" };
}

/** The wheel for this machine, or why there is none. */
export function platformObstacle(
  platform: NodeJS.Platform = process.platform,
  arch: string = process.arch,
): Wheel | Obstacle {
  const wheel = wheelFor(platform, arch);
  if (!wheel) return { kind: "platform", why: `nobody publishes a native library for ${platform} on ${arch}` };
  if (platform === "linux" && usesMusl()) {
    return {
      kind: "platform",
      why: "the native library needs glibc, and this Linux uses musl",
      remedy: "use a glibc-based system",
    };
  }
  return wheel;
}

function usesMusl(): boolean {
  return (
    existsSync("/etc/alpine-release") ||
    existsSync(`/lib/ld-musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`)
  );
}

/** The C++ compiler's name, as node-gyp's makefiles would call it. */
export function compilerName(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.CXX?.trim().split(/\s+/)[0] || (process.platform === "darwin" ? "c++" : "g++");
}

/** Whether the addon can be compiled here. */
export function compilerObstacle(environment: NodeJS.ProcessEnv = process.env): Obstacle | undefined {
  const missing = [compilerName(environment), "make"].filter((name) => !findProgram(name, environment));
  if (missing.length === 0) return undefined;
  const remedy =
    process.platform === "darwin"
      ? 'run "xcode-select --install"'
      : 'install a C++ compiler and make (on Debian and Ubuntu "apt install g++ make")';
  return { kind: "compiler", why: `${missing.join(" and ")} ${missing.length > 1 ? "were" : "was"} not found`, remedy };
}

/** Whether the cache can hold the library: writable, with room for the wheel and what is taken out of it. */
export function cacheObstacle(wheel: Wheel, cache: string = cacheDirectory()): Obstacle | undefined {
  let folder = cache;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    return unwritable(cache, error);
  }
  const needed = wheel.bytes * 4.5;
  const free = freeBytes(folder);
  if (free >= needed) return undefined;
  return {
    kind: "disk",
    why: `the native library needs ${formatBytes(needed)} in ${cache}, and ${formatBytes(free)} are free`,
    remedy: "make room or name another folder in MARGINALIA_CACHE",
  };
}

/** The obstacle of a cache that refuses to be written. */
export function unwritable(cache: string, error: unknown): Obstacle {
  if (codeOf(error) === "ENOSPC" || codeOf(error) === "EDQUOT") {
    return {
      kind: "disk",
      why: `the disk of ${cache} is full`,
      remedy: "make room or name another folder in MARGINALIA_CACHE",
    };
  }
  return {
    kind: "cache",
    why: `the cache folder ${cache} cannot be written (${codeOf(error) ?? "no permission"})`,
    remedy: "name one that can in MARGINALIA_CACHE",
  };
}
