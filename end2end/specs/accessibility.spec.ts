// Rules of accessibility that a machine can check, on every page, light and dark.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, open, test } from "../fixtures/test.ts";

const pages = [
  ["clusters", "/clusters"],
  ["backup and recovery", "/clusters/local/backup"],
  ["log backup tasks", "/clusters/local/backup?tab=log"],
  ["second data backup", "/clusters/local/backup?tab=copies"],
  ["second log backup", "/clusters/local/backup?tab=logcopies"],
  ["cleanup tasks", "/clusters/local/backup?tab=cleanup"],
  ["recovery tasks", "/clusters/local/backup?tab=recovery"],
  ["initiate recovery", "/clusters/local/recovery/new"],
  ["new cluster", "/clusters/new"],
  ["backup strategy", "/clusters/local/strategy"],
  ["new backup strategy", "/clusters/local/strategy/edit"],
  ["overview", "/overview"],
  ["overview of a cluster", "/clusters/local"],
  ["recoveries", "/recovery"],
  ["alerts", "/alerts"],
  ["settings", "/settings"],
  ["users", "/users"],
  ["audit", "/audit"],
  ["account", "/account"],
] as const;

for (const colorScheme of ["light", "dark"] as const) {
  test(`no page breaks a rule, ${colorScheme}`, async ({ page, server }) => {
    await server.recoverableAt("orders", Date.now());
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const [name, path] of pages) {
      await open(page, path);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      const found = await new AxeBuilder({ page })
        // Style sheets are read as the browser has them; axe would add its own copies, which the page refuses.
        .options({ preload: false })
        .withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"])
        .analyze();
      const told = found.violations.map((each) =>
        `${each.id}: ${each.help}: ${each.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`);
      expect.soft(told, name).toEqual([]);
    }
  });
}

test("Back up Now works from the keyboard and gives the focus back", async ({ page }) => {
  await open(page, "/clusters/local/backup");
  const button = page.getByRole("button", { name: "Back up Now" });
  await button.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Back up Now" });
  await expect(dialog).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(button).toBeFocused();
});
