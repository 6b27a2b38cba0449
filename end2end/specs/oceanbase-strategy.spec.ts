// Strategies of OceanBase clusters: what one says is set in the cluster, what differs is shown and put right; before 4.0
// a second destination is set. The clusters are simulated ones.
import { until } from "../fixtures/server.ts";
import { test } from "../fixtures/simulated.ts";
import { expect, open } from "../fixtures/test.ts";
import { add } from "../pages/add-cluster.ts";
import { BackupRecovery } from "../pages/backup-recovery.ts";

test.describe("a cluster without destinations", () => {
  test.use({ simulated: { empty: true, tenants: 2 } });

  test("gets them from its strategy, is backed up, and what others change is shown and put right", async ({ page, cluster }) => {
    await add(page, "prod", cluster);
    await open(page, "/clusters/prod/strategy/edit");
    const form = page.locator("form.form-layout");
    await form.getByLabel("Storage directory").fill("/backup/prod");
    await form.getByLabel("Configuration name").fill("bay");
    await form.getByRole("button", { name: "Test" }).click();
    await expect(form.getByText("/backup/prod passed")).toBeVisible();
    await form.getByLabel("Remove expired backups").check();
    await form.getByRole("button", { name: "Create" }).click();
    await expect(page).toHaveURL(/\/clusters\/prod\/strategy$/);
    await expect(page.getByText("Backup strategy saved")).toBeVisible();

    const policies = await until("the policies", async () => {
      const rows = await cluster.sql<{ RECOVERY_WINDOW: string }>(
        "SELECT RECOVERY_WINDOW FROM oceanbase.CDB_OB_BACKUP_DELETE_POLICY",
      );
      return rows.length === 2 ? rows : undefined;
    });
    expect(policies.map((one) => one.RECOVERY_WINDOW)).toEqual(["7d", "7d"]);
    const [data] = await cluster.sql<{ VALUE: string }>(
      "SELECT VALUE FROM oceanbase.CDB_OB_BACKUP_PARAMETER WHERE TENANT_ID = 1002 AND NAME = 'data_backup_dest'",
    );
    expect(data?.VALUE).toMatch(/^file:\/\/\/backup\/prod\/.+\/1002\/data/);

    const console = new BackupRecovery(page);
    await console.open("prod");
    const log = await console.tab("Log Backup Tasks");
    for (const tenant of ["t1", "t2"]) {
      await expect(log.getByRole("row").filter({ hasText: tenant })).toContainText("In Progress", { timeout: 60_000 });
    }
    const panel = await console.tab("Data Backup Tasks");
    const task = await console.backUpNow("t1");
    await expect(console.row(panel, task)).toContainText("Completed", { timeout: 60_000 });

    await cluster.sql("ALTER SYSTEM NOARCHIVELOG TENANT = t2", "ALTER SYSTEM DROP DELETE BACKUP POLICY 'default' TENANT = t1");
    await expect(page.getByText("prod is not what its backup strategy says")).toBeVisible({ timeout: 60_000 });
    await page.getByRole("link", { name: "Look at the differences" }).click();
    const differences = page.getByRole("region", { name: "Differences from the cluster" });
    await expect(differences.getByRole("row").filter({ hasText: "t2" })).toContainText("NOARCHIVELOG");
    await differences.getByRole("button", { name: "Apply again" }).click();
    await expect(page.getByText("Backup strategy applied")).toBeVisible();
    await expect(differences).toHaveCount(0);
    const [mode] = await cluster.sql<{ LOG_MODE: string }>(
      "SELECT LOG_MODE FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 't2'",
    );
    expect(mode?.LOG_MODE).toBe("ARCHIVELOG");
  });
});

test.describe("a cluster before 4.0", () => {
  test.use({ simulated: { version: "3.1.5", tenants: 2 } });

  test("backs up as a whole, and its sets are copied to a second destination", async ({ page, cluster }) => {
    // Before 4.0 the console changes no destination.
    await cluster.sql("ALTER SYSTEM SET backup_dest = 'file:///backup/first'");
    await add(page, "prod", cluster);
    await open(page, "/clusters/prod/strategy/edit");
    const form = page.locator("form.form-layout");
    await form.getByLabel("Keep a second copy").check();
    const second = form.getByRole("group", { name: "Second backup" }).or(form);
    await second.getByLabel("Storage directory").last().fill("/backup/second");
    await second.getByLabel("Configuration name").last().fill("harbour");
    await second.getByRole("button", { name: "Test" }).last().click();
    await expect(form.getByText("/backup/second passed")).toBeVisible();
    await form.getByRole("button", { name: "Create" }).click();
    await expect(page).toHaveURL(/\/clusters\/prod\/strategy$/);

    const console = new BackupRecovery(page);
    await console.open("prod");
    const panel = await console.tab("Data Backup Tasks");
    const task = await console.backUpNow("t1");
    await expect(console.row(panel, task)).toContainText("Completed", { timeout: 90_000 });
    const copies = await console.tab("Second Data Backup");
    await expect(copies.getByRole("row").filter({ hasText: "t1" }).first()).toContainText("Completed", { timeout: 90_000 });
    const [kept] = await cluster.sql<{ value: string }>("SHOW PARAMETERS LIKE 'backup_backup_dest'");
    expect(kept?.value).toBe("file:///backup/second");
  });
});
