// The story: rows are written by a stock program, some are deleted, and the page brings back the
// tenant as it was the moment before, compared row by row with what this test logged itself.
import { execFileSync } from "node:child_process";
import { expect, test } from "../fixtures/test.ts";
import { rows, sqlite } from "../fixtures/sqlite.ts";
import { BackupRecovery, InitiateRecovery, typed } from "../pages/backup-recovery.ts";

interface Entry {
  id: number;
  body: string;
}

/** Writes rows one commit at a time with the stock `sqlite3`, and keeps its own journal of them. */
class Writer {
  readonly journal: Entry[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
    sqlite(file, "CREATE TABLE story(id INTEGER PRIMARY KEY, body TEXT NOT NULL);");
  }

  write(count: number): void {
    for (let done = 0; done < count; done += 1) {
      const id = this.journal.length + 1;
      const body = `row ${id} of ${new Date().toISOString()}`;
      sqlite(this.#file, `INSERT INTO story VALUES (${id}, '${body}');`);
      this.journal.push({ id, body });
    }
  }
}

const all = "SELECT id, body FROM story ORDER BY id";

test("a deletion is undone to the second, into a new tenant, through the page", async ({ page, server }) => {
  const console = new BackupRecovery(page);
  await console.open();

  await test.step("the recovery period grows by itself", async () => {
    const before = await console.checkpoint();
    await expect.poll(() => console.checkpoint(), { timeout: 30_000 }).toBeGreaterThan(before);
    await expect(page.getByRole("region", { name: "Available Recovery Period" })).toBeVisible();
  });

  const task = await test.step("Back up Now makes a task that runs and completes", async () => {
    const panel = await console.tab("Data Backup Tasks");
    const task = await console.backUpNow("orders");
    const row = console.row(panel, task);
    await expect(row).toBeVisible();
    await expect(row).toContainText("orders");
    await expect(row).toContainText("Completed", { timeout: 60_000 });
    await expect(row.getByRole("cell", { name: /Full/ })).toBeVisible();
    return task;
  });
  expect(task).toBeGreaterThan(0);

  const file = await server.dataFile("orders");
  const writer = new Writer(file);
  writer.write(15);
  await server.recoverableAt("orders", Date.now());
  const moment = Date.now();
  const logged = structuredClone(writer.journal);
  // The moment is over before anything else is written.
  await expect.poll(() => Date.now()).toBeGreaterThan(moment + 1000);

  sqlite(file, "DELETE FROM story WHERE id % 2 = 0; UPDATE story SET body = 'spoilt' WHERE id < 6;");
  writer.write(3);
  expect(rows<Entry>(file, all)).not.toEqual(logged);
  await server.recoverableAt("orders", Date.now());

  await test.step("Initiate Recovery names the moment and a new tenant", async () => {
    const form = new InitiateRecovery(page);
    await console.open();
    await page.getByRole("link", { name: "Initiate Recovery" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Initiate Recovery" })).toBeVisible();
    await form.choose("orders", typed(moment), "orders_before");
    await expect(page.getByText(/^Recoverable\. This period runs from/)).toBeVisible();
    await expect(form.submit).toBeEnabled();
    await form.submit.click();
  });

  await test.step("the recovery task completes with its proof", async () => {
    const panel = page.getByRole("tabpanel", { name: "Recovery Tasks" });
    const row = panel.getByRole("row").filter({ hasText: "orders_before" });
    await expect(row).toContainText("Completed", { timeout: 60_000 });
    await row.getByRole("button", { name: /details$/ }).click();
    await expect(page.getByText("The digests are equal: every page is as the log recorded it.")).toBeVisible();
  });

  await test.step("the new tenant has exactly the rows of that moment", async () => {
    const recovered = await server.dataFile("orders_before");
    expect(recovered).not.toEqual(file);
    expect(rows<Entry>(recovered, all)).toEqual(logged);
    expect(sqlite(recovered, "PRAGMA integrity_check;")).toBe("ok");
    // The source is as it was left.
    expect(rows<Entry>(file, "SELECT count(*) AS id, '' AS body FROM story")).toEqual([{ id: 11, body: "" }]);
    const version = execFileSync("sqlite3", ["--version"], { encoding: "utf8" });
    expect(version).toMatch(/^3\./);
  });
});
