// Pictures of what only an OceanBase cluster shows, for people to look at.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, open } from "../fixtures/test.ts";
import { test } from "../fixtures/simulated.ts";
import { AddCluster, add } from "../pages/add-cluster.ts";

const pictures = join(dirname(fileURLToPath(import.meta.url)), "../test-results/screens");

test("pictures of an OceanBase cluster, light and dark, wide and narrow", async ({ page, cluster }) => {
  test.setTimeout(240_000);
  mkdirSync(pictures, { recursive: true });
  await add(page, "prod", cluster);
  const pages = [
    ["add-cluster", "/clusters/new"],
    ["oceanbase-overview", "/clusters/prod"],
    ["oceanbase-backup-recovery", "/clusters/prod/backup"],
    ["oceanbase-log-backup", "/clusters/prod/backup?tab=log"],
    ["oceanbase-recovery", "/clusters/prod/recovery/new?tenant=t1"],
    ["oceanbase-strategy-form", "/clusters/prod/strategy/edit"],
  ] as const;
  for (const [width, height] of [[1440, 900], [390, 844]] as const) {
    for (const [colorScheme, language] of [["light", "en"], ["dark", "en"], ["light", "zh"]] as const) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.goto(`/language?to=${language}&back=/clusters`);
      for (const [name, path] of pages) {
        await open(page, path);
        await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
        if (name === "add-cluster" && language === "en") {
          const form = new AddCluster(page);
          await page.getByRole("radio", { name: "OceanBase" }).check();
          await form.fill("other", cluster.address);
          await form.test.click();
          await expect(form.step("Look at the tenants")).toBeVisible();
        }
        if (name === "oceanbase-recovery") await expect(page.locator("#zones input[type=checkbox]").first()).toBeVisible();
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect.soft(wide, `${name} scrolls sideways at ${width} in ${language}`).toBeLessThanOrEqual(0);
        await page.screenshot({ path: join(pictures, `${name}-${width}-${colorScheme}-${language}.png`), fullPage: true });
      }
    }
  }
});
