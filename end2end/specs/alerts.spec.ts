// Alerts: told within the minute, counted in the ring, filtered, searched, masked, found from every place, and over when
// the cause is.
import { until } from "../fixtures/server.ts";
import { expect, open, test } from "../fixtures/test.ts";
import { BackupRecovery } from "../pages/backup-recovery.ts";

interface Alerts {
  alerts: { id: number; status: string; object: string }[];
}

test("stopped log backup is an alert until it goes on", async ({ page, server }) => {
  test.setTimeout(240_000);
  await server.recoverableAt("orders", Date.now());
  const console = new BackupRecovery(page);
  await console.open();
  const logs = await console.tab("Log Backup Tasks");
  await logs.getByRole("button", { name: "Stop log backup of orders" }).click();
  const stop = page.getByRole("dialog", { name: "Stop log backup of orders?" });
  await stop.getByLabel("Reason").fill("work on the disks");
  await stop.getByRole("button", { name: "Stop log backup" }).click();
  await expect(logs.getByRole("row").filter({ hasText: "orders" })).toContainText("Stopped");
  const alert = await until(
    "an alert",
    async () => {
      const { alerts } = await server.command<Alerts>("alert", "list");
      return alerts.find((one) => one.object.includes("orders"));
    },
    100,
  );
  const panel = page.getByRole("region", { name: "Alerts" }).first();

  await test.step("row and ring tell it", async () => {
    const table = panel.getByRole("table");
    for (const column of [
      "ID", "Alert Object", "Alert Type", "Generated At", "Recovered At", "Last Generated At", "Status",
    ]) {
      await expect(table.getByRole("columnheader", { name: column, exact: true })).toBeVisible();
    }
    const row = table.getByRole("row").filter({ hasText: "orders" });
    await expect(row).toContainText("Log backup is stopped");
    await expect(row).toContainText("Active");
    await expect(panel.getByRole("img", { name: /alert/ })).toBeVisible();
  });

  await test.step("filters are in the address and can be taken out", async () => {
    await panel.getByRole("searchbox").fill("no such object");
    await panel.getByRole("searchbox").press("Enter");
    await expect(panel).toContainText("No alert matches these filters");
    await expect(page).toHaveURL(/alertText=no/);
    await panel.getByRole("link", { name: "Clear filters" }).click();
    await expect(panel.getByRole("row").filter({ hasText: "orders" })).toBeVisible();
  });

  await test.step("the time range decides what is counted", async () => {
    await panel.getByRole("button", { name: /^Time/ }).click();
    await page.locator("#alert-time").getByRole("link", { name: "Last 24 hours" }).click();
    await expect(page).toHaveURL(/alertTime=24h/);
    await expect(panel.getByRole("row").filter({ hasText: "orders" })).toBeVisible();
    await open(page, "/clusters/local/backup?alertFrom=2020-01-01T00:00:00Z&alertTo=2020-01-02T00:00:00Z");
    await expect(panel).toContainText("No alert matches these filters");
  });

  await test.step("the list of all clusters leads to its details", async () => {
    await open(page, "/alerts");
    const row = page.getByRole("row").filter({ hasText: "orders" });
    await expect(row).toContainText("local");
    await row.getByRole("link", { name: `Alert ${alert.id}, details` }).click();
    const drawer = page.getByRole("dialog", { name: `Alert ${alert.id}` });
    await expect(drawer).toContainText("What it means");
    await expect(drawer).toContainText("What to do");
    await drawer.getByLabel("Reason").fill("planned work on the disks");
    await drawer.getByRole("button", { name: "Mask" }).click();
    await expect(drawer).toContainText("Masked");
    await page.keyboard.press("Escape");
    await expect(drawer).toBeHidden();
  });

  await test.step("it is over when log backup goes on", async () => {
    const again = await console.tab("Log Backup Tasks");
    await again.getByRole("button", { name: "Start log backup of orders" }).click();
    const start = page.getByRole("dialog", { name: "Start log backup of orders?" });
    await start.getByRole("button", { name: "Start log backup" }).click();
    await until(
      "the end of the alert",
      async () => {
        const { alerts } = await server.command<Alerts>("alert", "list", "--status", "all");
        return alerts.find((one) => one.id === alert.id)?.status === "recovered" ? true : undefined;
      },
      120,
    );
    await open(page, "/alerts?alertStatus=recovered");
    await expect(page.getByRole("row").filter({ hasText: "orders" })).toContainText("Recovered");
  });
});

test("the recoveries of all clusters stand in one list", async ({ page, server }) => {
  await server.recoverableAt("orders", Date.now());
  const last = (await server.ranges("orders")).ranges.at(-1);
  await server.command("recover", "--tenant", "orders", "--at", last?.end ?? "", "--as", "orders_again", "--wait");
  await open(page, "/recovery");
  const row = page.getByRole("row").filter({ hasText: "orders_again" });
  await expect(row).toContainText("Completed");
  await expect(page.getByRole("link", { name: "Initiate Recovery from local" })).toBeVisible();
  await page.getByRole("searchbox").fill("no such task");
  await page.getByRole("searchbox").press("Enter");
  await expect(page.getByText("No task matches these filters")).toBeVisible();
  await page.getByRole("link", { name: "Clear filters" }).click();
  await row.getByRole("link", { name: /^Task \d+, details$/ }).click();
  await expect(page.getByRole("tab", { name: "Recovery Tasks" })).toHaveAttribute("aria-selected", "true");
});
