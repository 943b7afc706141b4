import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: process.env.TBAR_SLOW ? ["test/slow/**/*.slow.test.ts"] : ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: process.env.TBAR_SLOW ? [] : ["test/slow/**"],
    testTimeout: process.env.TBAR_SLOW ? 3_600_000 : 60_000,
    hookTimeout: 120_000,
    globalSetup: "./test/runtime-setup.ts",
    pool: "forks",
    reporters: ["default", "./test/summary-reporter.ts"],
  },
});
