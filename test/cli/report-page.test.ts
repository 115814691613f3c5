// The report in a real browser: it asks for nothing outside, runs nothing, and fits a narrow screen.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { expect, test } from "vitest";
import { reportPage } from "../../src/cli/tune/page.ts";
import { chromiumFlags, chromiumPath, chromiumPatienceMs } from "../chromium.ts";
import { temporaryFolder } from "./run-cli.ts";
import { dataSummary } from "./data-summary.ts";
import { environment, makeTuneResult } from "./tune-result.ts";

const smallestFont = `Math.min(...[...document.querySelectorAll(".chart svg")].flatMap((svg) => {
  const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  return [...svg.querySelectorAll("text")].map((t) => scale * parseFloat(getComputedStyle(t).fontSize));
}))`;

test.runIf(chromiumPath)("the report in Chromium", async () => {
  const file = join(temporaryFolder(), "report.html");
  const context = {
    environment,
    command: "stackelberg tune adult.csv --target income",
    resume: "stackelberg tune --resume adult",
    data: dataSummary,
    without: "stackelberg tune adult.csv --target income --exclude tax",
    dataHash: "ab".repeat(32),
  };
  writeFileSync(file, reportPage(makeTuneResult({ columns: 90 }), context));
  const browser = await chromium.launch({
    executablePath: chromiumPath!,
    args: chromiumFlags,
    timeout: chromiumPatienceMs,
  });
  try {
    const incidents: string[] = [];
    for (const [width, colorScheme] of [
      [400, "light"],
      [1000, "dark"],
    ] as const) {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
      page.setDefaultTimeout(chromiumPatienceMs);
      page.on("request", (request) => {
        if (!request.url().startsWith("file:")) incidents.push(request.url());
      });
      page.on("console", (message) => incidents.push(message.text()));
      page.on("dialog", (dialog) => {
        incidents.push(dialog.message());
        void dialog.dismiss();
      });
      await page.goto(pathToFileURL(file).href);
      const widest = await page.evaluate("document.documentElement.scrollWidth");
      expect(widest).toBe(width);
      const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      expect(background).toBe(colorScheme === "dark" ? "rgb(20, 23, 28)" : "rgb(255, 255, 255)");
      // Chart text must stay readable: its font's size in CSS pixels after scaling.
      const smallest = await page.evaluate(smallestFont);
      expect(smallest).toBeGreaterThan(10);
      expect(await page.locator("script").count()).toBe(0);
      expect(await page.getByText("<script>alert(1)</script>").count()).toBe(1);
      await page.close();
    }
    expect(incidents).toEqual([]);
  } finally {
    await browser.close();
  }
});
