// Stop and Start of a tenant's log backup, with the reason shown on the gap.
import { until } from "../fixtures/server.ts";
import { expect, test } from "../fixtures/test.ts";
import { BackupRecovery } from "../pages/backup-recovery.ts";

test("log backup stops with a reason and starts again in a new round", async ({ page, server }) => {
  const console = new BackupRecovery(page);
  await server.recoverableAt("payments", Date.now());
  await console.open();
  const panel = await console.tab("Log Backup Tasks");
  const row = panel.getByRole("row").filter({ hasText: "payments" });
  await expect(row).toContainText("In Progress");

  await row.getByRole("button", { name: "Stop log backup of payments" }).click();
  const stop = page.getByRole("dialog", { name: "Stop log backup of payments?" });
  await stop.getByRole("button", { name: "Stop log backup" }).click();
  await expect(stop.getByText("Say why; it is shown on the gap.")).toBeVisible();
  await stop.getByLabel(/Reason/).fill("disk is being replaced");
  await stop.getByRole("button", { name: "Stop log backup" }).click();
  await expect(stop).toBeHidden();
  await expect(row).toContainText("Stopped");

  await row.getByRole("button", { name: "Start log backup of payments" }).click();
  const start = page.getByRole("dialog", { name: "Start log backup of payments?" });
  await start.getByRole("button", { name: "Start log backup" }).click();
  await expect(start).toBeHidden();
  await expect(row).toContainText("In Progress");

  const gap = await until("the gap to be told", async () => {
    const { gaps } = await server.ranges("payments");
    return gaps.find((one) => one.cause === "stopped_by_person" && one.until !== null);
  }, 60);
  expect(gap.note).toContain("disk is being replaced");
});
