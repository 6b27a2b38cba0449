// Second backup, cleanups and scheduling histories on the page: rows, links both ways, causes, files.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until, type Server } from "../fixtures/server.ts";
import { expect, test } from "../fixtures/test.ts";
import { BackupRecovery } from "../pages/backup-recovery.ts";

interface Template {
  settings: { storage: Record<string, unknown>; second: unknown; schedule: Record<string, unknown> };
}

/** A strategy that copies each set to a second directory; nothing else begins by itself meanwhile. */
async function copyEverySet(server: Server): Promise<string> {
  const second = join(server.home, "second");
  mkdirSync(second, { recursive: true });
  const template = await server.command<Template>("strategy", "template");
  const storage = { ...template.settings.storage, name: "harbour", directory: second };
  template.settings.second = {
    data: true, log_cycle: "hourly", retention_days: null, limit_bytes_per_s: null, storage,
  };
  const file = join(server.home, "strategy.json");
  writeFileSync(file, JSON.stringify(template));
  await server.command("strategy", "test-storage", second, "--second");
  await server.command("strategy", "set", file);
  return second;
}

test("a copied set is found from both sides, and tables are files too", async ({ page, server }) => {
  const console = new BackupRecovery(page);
  await server.recoverableAt("orders", Date.now());
  const second = await copyEverySet(server);
  await server.command("backup", "--tenant", "orders", "--full", "--wait");
  await until("the copy", async () => {
    const { tasks } = await server.command<{ tasks: { state: string }[] }>("task", "list", "--kind", "second_data");
    return tasks.some((task) => task.state === "completed") ? true : undefined;
  });

  await console.open();
  await expect(console.fact("Scheduling History of Second Log Backup")).toContainText("Second backup is on");
  const data = await console.tab("Data Backup Tasks");
  const yes = data.getByRole("button", { name: /^Yes: second backup of set/ }).first();
  await yes.click();
  const drawer = page.getByRole("dialog", { name: /^Second backup of set/ });
  await expect(drawer).toContainText("Completed");
  await drawer.getByRole("button", { name: /^Task \d+, details$/ }).first().click();
  const task = page.getByRole("dialog", { name: /^Task \d+$/ });
  await expect(task.getByRole("heading", { name: "Course" })).toBeVisible();
  await expect(task).toContainText(second);
  await page.keyboard.press("Escape");

  const copies = await console.tab("Second Data Backup");
  const row = copies.getByRole("row").filter({ hasText: "orders" }).first();
  await expect(row).toContainText("Completed");
  await expect(row).toContainText(second);
  await row.getByRole("link", { name: /^Data backup tasks of set/ }).click();
  await expect(page.getByRole("tab", { name: "Data Backup Tasks" })).toHaveAttribute("aria-selected", "true");
  await expect(page).toHaveURL(/dataSet=\d+/);
  await expect(data.getByRole("row")).toHaveCount(2);

  const file = data.getByRole("link", { name: "CSV" });
  const download = page.waitForEvent("download");
  await file.click();
  const path = await (await download).path();
  const lines = readFileSync(path, "utf8").trim().split("\r\n");
  expect(lines[0]).toContain("id,kind,tenant");
  expect(lines.length).toBe(2);
});

test("histories, what has expired, and a search that finds nothing", async ({ page, server }) => {
  const console = new BackupRecovery(page);
  await server.recoverableAt("orders", Date.now());
  await console.open();
  await page.getByRole("button", { name: "View the scheduling history of data backup" }).click();
  const history = page.getByRole("dialog", { name: "Scheduling History of Data Backup" });
  await expect(history).toContainText("No run yet");
  await page.keyboard.press("Escape");

  const cleanup = await console.tab("Cleanup Tasks");
  await expect(cleanup).toContainText("Nothing has been removed yet");
  await cleanup.getByRole("button", { name: "What has expired" }).click();
  const expired = page.getByRole("dialog", { name: "What has expired" });
  await expired.getByLabel("Days to keep").fill("0");
  await expired.getByRole("button", { name: "Show what would go" }).click();
  await expect(expired).toContainText("0 does not fit; 1 to 3650 days.");
  await expired.getByLabel("Days to keep").fill("7");
  await expired.getByRole("button", { name: "Show what would go" }).click();
  await expect(expired).toContainText("Nothing has expired.");
  await expect(expired).toContainText("needed for the days to keep");
  await page.keyboard.press("Escape");

  const data = await console.tab("Data Backup Tasks");
  const search = data.getByRole("searchbox");
  await search.fill("nothing like this");
  await search.press("Enter");
  await expect(data).toContainText("No task matches these filters");
  await expect(page).toHaveURL(/dataText=nothing/);
});

test("the head pauses and starts scheduling, and says what follows from deleting", async ({ page, server }) => {
  const console = new BackupRecovery(page);
  await server.recoverableAt("orders", Date.now());
  await copyEverySet(server);
  await console.open();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Pause scheduling" }).click();
  await expect(console.fact("Status")).toContainText("Paused");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start scheduling" }).click();
  await expect(console.fact("Status")).toContainText("Pending Backup Scheduling");

  await page.getByRole("button", { name: "More actions" }).click();
  await expect(page.getByRole("link", { name: "Modify Backup Strategy" })).toHaveAttribute("href", "/clusters/local/strategy/edit");
  await page.getByRole("button", { name: "Delete Backup Strategy" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete the backup strategy of local?" });
  await expect(dialog).toContainText("Backups and running tasks stay.");
  await dialog.getByRole("button", { name: "Delete the strategy" }).click();
  await expect(console.fact("Status")).toContainText("No Backup Strategy");
});
