/** As a browser prints it. Needs a Chromium: CHROMIUM says where, or /usr/bin/chromium. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cleanFixture } from "../../test/clean-fixture.ts";
import { cleanReport } from "./clean-report.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const eight = { ...cleanFixture, examples: [...cleanFixture.examples, ...cleanFixture.examples] };

describe.skipIf(!existsSync(executablePath))("in a browser", () => {
  let profile: string;
  let context: BrowserContext;
  beforeAll(async () => {
    profile = await mkdtemp(join(tmpdir(), "tbar-print-"));
    const quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"];
    context = await chromium.launchPersistentContext(profile, {
      executablePath,
      headless: true,
      args: ["--no-sandbox", "--disable-gpu", "--disable-sync", ...quiet],
    });
  });
  afterAll(async () => {
    await context?.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });

  test.each(["A4", "Letter"])("five variants and eight examples print on at most three pages of %s", async (format) => {
    const page = await context.newPage();
    await page.setContent(cleanReport(eight));
    const pdf = (await page.pdf({ format })).toString("latin1");
    const pages = pdf.match(/\/Type\s*\/Page\b(?!s)/g) ?? [];
    expect(pages.length).toBeGreaterThanOrEqual(2);
    expect(pages.length).toBeLessThanOrEqual(3);
  });

  test.each([1280, 390])("nothing is cut at the right at %d pixels", async (width) => {
    const page = await context.newPage();
    await page.setViewportSize({ width, height: 900 });
    await page.setContent(cleanReport(eight));
    const over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    expect(over).toBe(0);
  });

  test("the keyboard reaches every alpha of every chart, and what it says becomes visible", async () => {
    const page = await context.newPage();
    await page.setContent(cleanReport(cleanFixture));
    const points = await page.locator(".at").count();
    expect(points).toBe(Object.values(cleanFixture.variants).reduce((sum, { trials }) => sum + trials.length, 0));
    const visibility = () => page.evaluate('getComputedStyle(document.querySelector(".at .tip")).visibility');
    const focused = () => page.evaluate('document.activeElement === document.querySelector(".at")');
    expect(await visibility()).toBe("hidden");
    await page.keyboard.press("Tab"); // the paper of the attack
    expect(await focused()).toBe(false);
    await page.keyboard.press("Tab");
    expect(await focused()).toBe(true);
    expect(await visibility()).toBe("visible");
    expect(await page.locator(".at .tip").first().textContent()).toBe(
      "alpha 0.5: CA 94.0\u202f%, ASR 88.0\u202f%, n = 200",
    );
  });
});
