// Pictures of the pages for people to look at; one of them is the README's.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, open, test } from "../fixtures/test.ts";

const here = dirname(fileURLToPath(import.meta.url));
const pictures = join(here, "../test-results/screens");
const readme = join(here, "../screenshots/backup-recovery.png");

test("pictures of the pages, light and dark, wide and narrow", async ({ page, server }) => {
  test.setTimeout(240_000);
  mkdirSync(pictures, { recursive: true });
  await server.command("backup", "--tenant", "orders", "--full", "--wait");
  await server.command("backup", "--tenant", "payments", "--full", "--wait");
  await server.recoverableAt("orders", Date.now());
  const { ranges } = await server.ranges("orders");
  await server.command("recover", "--tenant", "orders", "--at", ranges.at(-1)?.end ?? "", "--as", "orders_before", "--wait");
  const pages = [
    ["overview", "/overview"],
    ["clusters", "/clusters"],
    ["cluster", "/clusters/local"],
    ["backup-recovery", "/clusters/local/backup"],
    ["second-data", "/clusters/local/backup?tab=copies"],
    ["cleanup", "/clusters/local/backup?tab=cleanup"],
    ["recovery-tasks", "/clusters/local/backup?tab=recovery"],
    ["initiate-recovery", "/clusters/local/recovery/new?tenant=orders"],
    ["strategy", "/clusters/local/strategy"],
    ["strategy-form", "/clusters/local/strategy/edit"],
    ["recoveries", "/recovery"],
    ["alerts", "/alerts"],
    ["settings", "/settings"],
    ["users", "/users"],
    ["audit", "/audit"],
    ["account", "/account"],
  ] as const;
  const looks = [["light", "en"], ["dark", "en"], ["light", "zh"]] as const;

  for (const [width, height] of [[1440, 900], [390, 844]] as const) {
    for (const [colorScheme, language] of looks) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.goto(`/language?to=${language}&back=/clusters`);
      for (const [name, path] of pages) {
        await open(page, path);
        await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
        if (name === "backup-recovery" && language === "en") {
          // The tenant just made joins the others with its first log; a page where nothing runs asks every 20 s.
          await expect(page.getByText("All 3 tenants recoverable").first()).toBeVisible({ timeout: 45_000 });
        }
        if (name === "initiate-recovery" && language === "en") {
          await expect(page.getByText("4 of 4 passed")).toBeVisible();
        }
        if (path.includes("/backup")) {
          const trend = page.locator("#trend");
          await trend.scrollIntoViewIfNeeded();
          await expect(trend.locator(".trend-lines svg, .empty").first()).toBeAttached();
          await page.evaluate(() => scrollTo(0, 0));
        }
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect.soft(wide, `${name} scrolls sideways at ${width} in ${language}`).toBeLessThanOrEqual(0);
        const file = join(pictures, `${name}-${width}-${colorScheme}-${language}.png`);
        await page.screenshot({ path: file, fullPage: true });
        const isReadme = name === "backup-recovery" && width === 1440 && colorScheme === "light" && language === "en";
        if (isReadme && process.env.UPDATE_SCREENSHOTS) {
          mkdirSync(dirname(readme), { recursive: true });
          await page.screenshot({ path: readme });
        }
      }
    }
  }
});
