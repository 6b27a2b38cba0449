// How long a change in an OceanBase cluster takes to the changed cell in a browser, while the page is active. The cluster is
// a simulated one.
import { expect } from "../fixtures/test.ts";
import { test } from "../fixtures/simulated.ts";
import { add } from "../pages/add-cluster.ts";
import { BackupRecovery } from "../pages/backup-recovery.ts";

const changes = 20;

// So slow that its backup runs all the time: a page whose cluster works asks every two seconds.
test.use({ simulated: { scale: 1 } });

test("from a change in the cluster to the changed cell", async ({ page, cluster }) => {
  await add(page, "prod", cluster);
  const console = new BackupRecovery(page);
  await console.backUpNow("t1");
  const panel = await console.tab("Log Backup Tasks");
  const row = panel.getByRole("row").filter({ hasText: "t3" }).first();
  const took: number[] = [];
  for (let change = 0; change < changes; change += 1) {
    const [order, word] = change % 2 === 0 ? ["NOARCHIVELOG", "Stop"] : ["ARCHIVELOG", "In Progress"];
    await cluster.sql(`ALTER SYSTEM ${order} TENANT = t3`);
    const state = change % 2 === 0 ? "STOP" : "DOING";
    let begun = 0;
    await expect
      .poll(
        async () => {
          const [found] = await cluster.sql<{ STATUS: string }>(
            "SELECT STATUS FROM oceanbase.CDB_OB_ARCHIVELOG WHERE TENANT_ID = 1006",
          );
          begun = Date.now();
          return found?.STATUS;
        },
        { intervals: [20], timeout: 120_000 },
      )
      .toBe(state);
    await expect(row).toContainText(new RegExp(word), { timeout: 60_000 });
    took.push(Date.now() - begun);
  }
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0;
  globalThis.console.log(
    `a change in the cluster is in the browser after ${at(0.5)} ms (median), ${at(0.95)} ms (95th percentile) of ${changes}`,
  );
  expect(at(0.95)).toBeLessThan(3000);
});
