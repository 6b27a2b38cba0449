// Without any script everything can still be read.
import { expect, test } from "../fixtures/test.ts";

test.use({ javaScriptEnabled: false });

test("the whole page is readable without scripts", async ({ page, server }) => {
  await server.recoverableAt("orders", Date.now());
  await page.goto("/clusters/local/backup");
  await expect(page.getByRole("heading", { level: 1, name: "Backup & Recovery" })).toBeVisible();
  const basic = page.getByRole("region", { name: "Basic information" });
  await expect(basic).toContainText("Log Backup Checkpoint");
  await expect(basic.getByRole("time").first()).toHaveAttribute("datetime", /^\d{4}-\d{2}-\d{2}T.*Z$/);
  await expect(page.getByRole("region", { name: "Available Recovery Period" })).toBeVisible();
  await expect(page.getByRole("table", { name: "Data backup tasks" })).toContainText("orders");
  await page.goto("/clusters/local/backup?tab=log");
  await expect(page.getByRole("table", { name: "Log backup tasks" })).toContainText("payments");
});
