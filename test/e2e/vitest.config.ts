import { defineConfig } from "vitest/config";

/** Tests of the whole: compiled commands, real kernels, a browser. One at a time, since each takes every core. */
export default defineConfig({
  test: {
    root: new URL("../..", import.meta.url).pathname,
    include: ["test/e2e/**/*.test.ts"],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
