// An OceanBase cluster on the page, driven over the MySQL protocol. The cluster is a simulated one.
import { expect, open } from "../fixtures/test.ts";
import { until } from "../fixtures/server.ts";
import { OceanBase, password } from "../fixtures/oceanbase.ts";
import { test } from "../fixtures/simulated.ts";
import { AddCluster, add } from "../pages/add-cluster.ts";
import { BackupRecovery, InitiateRecovery } from "../pages/backup-recovery.ts";

test("a cluster is tried step by step and added, and its page tells what can be recovered", async ({ page, cluster, complaints }) => {
  const form = new AddCluster(page);
  await form.open("/");
  await form.fill("prod", cluster.address, "another password");
  await form.test.click();
  await expect(page.getByText("The cluster cannot be used so")).toBeVisible();
  await expect(form.step("Reach the server")).toHaveAttribute("data-tone", "ok");
  await expect(form.step("Sign in")).toHaveAttribute("data-tone", "bad");
  await form.submit.click();
  await expect(page.getByText("The cluster was not added")).toBeVisible();
  await expect(page.getByLabel("Password")).toHaveValue("another password");
  complaints.splice(0);

  await form.fill("prod", cluster.address);
  await form.test.click();
  await expect(page.getByText("The cluster can be used")).toBeVisible();
  await expect(form.step("Look at the tenants")).toContainText("4 tenants");
  await form.submit.click();
  await expect(page).toHaveURL(/\/clusters\/prod\/backup/);
  const console = new BackupRecovery(page);
  await expect(console.fact("Last Data Backup Time")).toContainText("4 tenants");
  const period = page.getByRole("region", { name: "Available Recovery Period" });
  await expect(period.getByLabel("Tenant")).toContainText("t4");
  const panel = await console.tab("Log Backup Tasks");
  await expect(panel.getByRole("row").filter({ hasText: "In Progress" }).first()).toBeVisible();
});

test("bad addresses and accounts are told beside their fields, and nothing is sent", async ({ page }) => {
  const form = new AddCluster(page);
  await form.open("/");
  await form.fill("1st", "http://db1:2881/");
  await page.getByLabel("Account").fill("root@shop");
  await form.submit.click();
  for (const label of ["Cluster name", "Addresses", "Account"]) {
    await expect(page.getByLabel(label)).toHaveAttribute("aria-invalid", "true");
  }
  await expect(page.getByText(/^Give host:port/)).toBeVisible();
  await expect(page).not.toHaveURL(/backup/);
});

test("a tenant is backed up and recovered onto units that were chosen, and activated", async ({ page, cluster }) => {
  await add(page, "prod", cluster);
  const console = new BackupRecovery(page);
  const panel = await console.tab("Data Backup Tasks");
  const task = await console.backUpNow("t1");
  const row = console.row(panel, task);
  await expect(row).toContainText("Completed", { timeout: 60_000 });

  await test.step("the plan names every statement", async () => {
    const form = new InitiateRecovery(page);
    await page.getByRole("link", { name: "Initiate Recovery" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Initiate Recovery" })).toBeVisible();
    const [scn] = await cluster.sql<{ at: string }>(
      "SELECT CHECKPOINT_SCN_DISPLAY AS at FROM oceanbase.CDB_OB_ARCHIVELOG WHERE TENANT_ID = 1002",
    );
    expect(scn).toBeTruthy();
    const select = page.getByLabel("Source tenant");
    const option = select.locator("option").filter({ hasText: /^t1\b/ });
    await select.selectOption((await option.first().getAttribute("value")) ?? "");
    await form.name.fill("t1_copy");
    const zones = page.getByRole("region", { name: "Zones" });
    await expect(zones.getByRole("checkbox")).toHaveCount(3);
    await zones.getByRole("checkbox").last().uncheck();
    await expect(page.getByText("ALTER SYSTEM RESTORE `t1_copy`")).toBeVisible();
    await expect(page.getByText("CREATE RESOURCE POOL").first()).toBeVisible();
    await expect(form.submit).toBeEnabled();
    await form.submit.click();
  });

  const recoveries = await console.tab("Recovery Tasks");
  await expect(recoveries.getByRole("row").filter({ hasText: "t1_copy" })).toContainText("Completed", { timeout: 60_000 });
  const [made] = await cluster.sql<{ TENANT_ROLE: string; LOCALITY: string }>(
    "SELECT TENANT_ROLE, LOCALITY FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 't1_copy'",
  );
  expect(made?.TENANT_ROLE).toBe("PRIMARY");
  expect(made?.LOCALITY).not.toContain("zone3");
});

test("answers that are lost again and again within a backup make one backup, not two", async ({ page, cluster }) => {
  await add(page, "prod", cluster);
  const console = new BackupRecovery(page);
  const panel = await console.tab("Data Backup Tasks");
  const count = async () => {
    const jobs = "SELECT JOB_ID FROM oceanbase.CDB_OB_BACKUP_JOB";
    const running = await cluster.sql(`${jobs}S WHERE TENANT_ID = 1002`);
    const ended = await cluster.sql(`${jobs}_HISTORY WHERE TENANT_ID = 1002`);
    return running.length + ended.length;
  };
  const before = await count();
  // Every seventh packet of the next 300 is carried out, and its answer never comes. The farthest is named first, so that
  // none of these statements is hit itself.
  const lost = Array.from({ length: 36 }, (_, at) => `SIM FAULT reply_lost ${300 - 7 * at}`);
  await cluster.sql(...lost);
  const task = await console.backUpNow("t1");
  await expect(console.row(panel, task)).toContainText("Completed", { timeout: 60_000 });
  await until("the cluster to answer", () => cluster.sql("SIM CLEAR").then(() => true, () => undefined));
  expect(await count()).toBe(before + 1);
});

test("a cluster that is away stays on the page with its age, and comes back by itself", async ({ page, cluster }) => {
  await add(page, "prod", cluster);
  const console = new BackupRecovery(page);
  await expect(console.fact("Last Data Backup Time")).toContainText("4 tenants");
  await cluster.stop();
  const notice = page.getByRole("alert").filter({ hasText: "prod could not be looked at" });
  // A page where nothing runs asks every 20 s.
  await expect(notice).toContainText("Connection refused", { timeout: 40_000 });
  await expect(notice).toContainText(/Last seen .* UTC/);
  await expect(console.fact("Last Data Backup Time")).toContainText("4 tenants");
  const again = await OceanBase.start({}, cluster.address);
  await expect(notice).toHaveCount(0, { timeout: 60_000 });
  await again.stop();
});

test("its connection is changed and it is removed on its overview", async ({ page, cluster, complaints }) => {
  await add(page, "prod", cluster);
  await open(page, "/clusters/prod");
  const facts = page.getByRole("region", { name: "Basic information" });
  await expect(facts.getByText(cluster.address).first()).toBeVisible();
  await page.getByRole("button", { name: "Modify connection" }).click();
  const dialog = page.getByRole("dialog", { name: /Modify the connection/ });
  await dialog.getByLabel("Addresses").fill(`127.0.0.1:1, ${cluster.address}`);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByText(/^Give it again/)).toBeVisible();
  complaints.splice(0);
  await dialog.getByLabel("Password").fill(password);
  await dialog.getByRole("button", { name: "Test connection" }).click();
  await expect(dialog.getByText("The cluster can be used")).toBeVisible();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(facts.getByText(`127.0.0.1:1, ${cluster.address}`).first()).toBeVisible();

  await page.getByRole("button", { name: "Remove cluster" }).click();
  const question = page.getByRole("dialog", { name: /^Remove prod/ });
  await question.getByRole("button", { name: "Remove cluster" }).click();
  await expect(page).toHaveURL(/\/clusters$/);
  await expect(page.getByRole("heading", { level: 1, name: "Make your first cluster" })).toBeVisible();
});
