// Backup storage trends: numbers without scripts, the drawing with them, read by pointer and by keys.
import { until, type Server } from "../fixtures/server.ts";
import { expect, open, test } from "../fixtures/test.ts";

/** Waits for sizes of some moment; they are measured just after a backup. */
async function measured(server: Server): Promise<void> {
  await until("sizes to be measured", async () => {
    const { samples } = await server.command<{ samples: unknown[] }>("storage");
    return samples.length > 0 ? true : undefined;
  });
}

test("the trend is drawn, read out by keys, and stands as a table", async ({ page, server }) => {
  await server.recoverableAt("orders", Date.now());
  await server.command("backup", "--tenant", "orders", "--full", "--wait");
  await server.command("backup", "--tenant", "payments", "--full", "--wait");
  await measured(server);
  await open(page, "/clusters/local/backup?trend=24h");
  const trend = page.getByRole("region", { name: "Backup storage trends" });
  await trend.scrollIntoViewIfNeeded();
  await expect(trend).toContainText("Total Volume");
  await expect(trend.getByRole("link", { name: "24 hours" })).toHaveAttribute("aria-current", "true");
  const plot = trend.getByRole("img", { name: /total volume went from/ });
  await expect(plot.locator("svg path").first()).toBeAttached();
  await plot.focus();
  await page.keyboard.press("End");
  await expect(trend.locator(".trend-read")).toContainText("Log Backup");
  await trend.getByText("Show as table").click();
  await expect(trend.getByRole("table", { name: "Backup storage over time" })).toBeVisible();
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });

  test("numbers, alerts and every tab can be read", async ({ page, server }) => {
    await server.recoverableAt("orders", Date.now());
    await server.command("backup", "--tenant", "orders", "--full", "--wait");
    await measured(server);
    await page.goto("/clusters/local/backup?tab=cleanup");
    await expect(page.getByRole("region", { name: "Backup storage trends" })).toContainText("Data Backup");
    await expect(page.getByRole("region", { name: "Alerts" })).toContainText("No alert");
    await expect(page.getByRole("tabpanel", { name: "Cleanup Tasks" })).toContainText("Nothing has been removed yet");
    await page.goto("/clusters/local/backup?tab=copies");
    await expect(page.getByRole("tabpanel", { name: "Second Data Backup" })).toContainText("No set has been copied yet");
  });
});
