// Fields of the page that no other story goes through: the way to it, facts of a strategy, its tab, copies of log, and
// what a failed recovery offers.
import { mkdirSync, readdirSync, statSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until, type Server } from "../fixtures/server.ts";
import { expect, open, test } from "../fixtures/test.ts";
import { BackupRecovery } from "../pages/backup-recovery.ts";

interface Template {
  settings: {
    storage: Record<string, unknown>;
    second: unknown;
    schedule: Record<string, unknown>;
    thresholds: Record<string, unknown>;
    cleanup: Record<string, unknown>;
  };
}

/** A strategy with every part in use. */
async function setStrategy(server: Server): Promise<string> {
  const second = join(server.home, "second");
  mkdirSync(second, { recursive: true });
  const template = await server.command<Template>("strategy", "template");
  const { settings } = template;
  const storage = { ...settings.storage, name: "harbour", directory: second };
  settings.second = {
    data: true, log_cycle: "hourly", retention_days: 30, limit_bytes_per_s: null, storage,
  };
  settings.cleanup = { ...settings.cleanup, enabled: true, retention_days: 9 };
  settings.thresholds = { ...settings.thresholds, log_delay_s: 77, no_success_days: 4 };
  const file = join(server.home, "strategy.json");
  writeFileSync(file, JSON.stringify(template));
  await server.command("strategy", "test-storage", second, "--second");
  await server.command("strategy", "set", file);
  return second;
}

/** Every file below a directory. */
function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((file) => statSync(file).isFile());
}

test("the way from all clusters to the page, and what it says with a strategy", async ({ page, server }) => {
  await server.recoverableAt("orders", Date.now());
  const second = await setStrategy(server);
  await server.command("backup", "--tenant", "orders", "--full", "--wait");

  await test.step("the left menu leads there", async () => {
    await open(page, "/");
    await page.getByRole("navigation").getByRole("link", { name: "Clusters" }).first().click();
    await expect(page).toHaveURL(/\/clusters$/);
    await page.getByRole("main").getByRole("link", { name: "local", exact: true }).first().click();
    await page.getByRole("navigation").getByRole("link", { name: "Backup & Recovery" }).first().click();
    await expect(page.getByRole("heading", { level: 1, name: "Backup & Recovery" })).toBeVisible();
  });

  await test.step("basic information has its fields", async () => {
    const console = new BackupRecovery(page);
    await expect(console.fact("Status")).toContainText(/Pending Backup Scheduling|In Progress/);
    await expect(console.fact("Backup Method")).toContainText("Physical Backup");
    await expect(console.fact("Backup File")).toContainText(/\d+(\.\d+)?\s[KMG]B/);
    await expect(console.fact("Log Delay")).toContainText(/\d/);
    await expect(console.fact("Last Data Backup Time").getByRole("time")).toHaveAttribute("datetime", /Z$/);
  });

  await test.step("the strategy's tab tells all of it", async () => {
    await page.getByRole("link", { name: "Backup Strategy", exact: true }).first().click();
    const section = (name: string) =>
      page.locator(".strategy-row").filter({ has: page.getByRole("heading", { name, exact: true }) });
    await expect(section("Backup method")).toContainText("Physical Backup");
    const storage = section("Backup storage");
    for (const label of ["Configuration name", "Storage type", "Storage directory", "Capacity alert threshold"]) {
      await expect(storage).toContainText(label);
    }
    await expect(section("Backup scheduling")).toContainText("Scheduling cycle");
    await expect(section("Backup scheduling")).toContainText(/\d\d:\d\d/);
    await expect(section("Days").getByRole("listitem").first()).toBeVisible();
    await expect(section("Next runs").getByRole("time").first()).toHaveAttribute("datetime", /Z$/);
    await expect(section("Cleanup of expired backups")).toContainText("9 days");
    await expect(section("Alert thresholds")).toContainText("77 seconds");
    await expect(section("Alert thresholds")).toContainText("4 days");
    await expect(section("Second backup")).toContainText("30 days");
    await expect(section("Second backup")).toContainText(second);
  });
});

test("scheduling is in progress once its first run has ended well", async ({ page, server }) => {
  await server.recoverableAt("orders", Date.now());
  const template = await server.command<Template>("strategy", "template");
  const soon = new Date(Date.now() + 65_000);
  template.settings.schedule = {
    ...template.settings.schedule,
    cycle: "week",
    days: Object.fromEntries([1, 2, 3, 4, 5, 6, 7].map((day) => [day, "full"])),
    at: soon.toISOString().slice(11, 16),
    zone: "UTC",
  };
  const file = join(server.home, "strategy.json");
  writeFileSync(file, JSON.stringify(template));
  await server.command("strategy", "set", file);
  const console = new BackupRecovery(page);
  await console.open();
  await expect(console.fact("Status")).toContainText("Pending Backup Scheduling");
  await expect(console.fact("Status")).toContainText("In Progress", { timeout: 100_000 });
});

test.describe("shortly before an hour", () => {
  test.use({ beforeHour: true });

  test("copied log has a row with where, since when and until when", async ({ page, server }) => {
    test.setTimeout(150_000);
    await server.command("backup", "--tenant", "orders", "--full", "--wait");
    const second = await setStrategy(server);
    const console = new BackupRecovery(page);
    await console.open();
    const copies = await console.tab("Second Log Backup");
    for (const column of ["Tenant", "Last Backed up At", "Storage Directory", "Start Time", "Status"]) {
      await expect(copies.getByRole("columnheader", { name: column, exact: true })).toBeVisible();
    }
    const row = copies.getByRole("row").filter({ hasText: "orders" });
    await expect(row).toContainText(second);
    await expect(row).toContainText("In Progress");
    await expect(row.getByRole("time")).toHaveCount(2, { timeout: 90_000 });
    const [copied, since] = await row.getByRole("time").evaluateAll((times) =>
      times.map((time) => Date.parse(time.getAttribute("datetime") ?? "")),
    );
    expect(copied).toBeGreaterThan(since ?? Number.NaN);
  });
});

test("a failed recovery says why and leads to another try", async ({ page, server }) => {
  await server.recoverableAt("orders", Date.now());
  await server.command("backup", "--tenant", "orders", "--full", "--wait");
  const end = (await server.ranges("orders")).ranges.at(-1)?.end ?? "";
  for (const file of filesBelow(join(server.home, "backup", "local"))) {
    const bytes = readFileSync(file);
    // What is damaged is found when it is read, not when it is listed.
    if (bytes.length < 1000 || file.endsWith(".json")) continue;
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 0xff, bytes.length >> 1);
    writeFileSync(file, bytes);
  }
  await server.command("recover", "--tenant", "orders", "--at", end, "--as", "orders_back").catch(() => undefined);
  const console = new BackupRecovery(page);
  await console.open();
  const panel = await console.tab("Recovery Tasks");
  const row = panel.getByRole("row").filter({ hasText: "orders_back" });
  await expect(row).toContainText("Failed", { timeout: 60_000 });
  await row.getByRole("button", { name: /^View Cause of task/ }).click();
  const drawer = page.getByRole("dialog", { name: /^Recovery task/ });
  await expect(drawer).toContainText("The recovery failed");
  await page.keyboard.press("Escape");
  await expect(drawer).toBeHidden();
  await row.getByRole("link", { name: /^Recover again like task/ }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Initiate Recovery" })).toBeVisible();
  await expect(page.getByLabel("Source tenant").locator("option:checked")).toContainText("orders");
  await until("the moment to stand in the form", async () =>
    (await page.getByLabel("Recover to", { exact: true }).inputValue()) === "" ? undefined : true,
  );
});
