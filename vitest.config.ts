import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { marginalia: new URL("./src/index.ts", import.meta.url).pathname } },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    typecheck: { enabled: false },
  },
});
