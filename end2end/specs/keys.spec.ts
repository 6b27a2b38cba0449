// Single keys: what they press, and where they are off.
import { expect, test } from "../fixtures/test.ts";
import { BackupRecovery } from "../pages/backup-recovery.ts";

test("keys lead, search and list themselves, but never while something is typed", async ({ page, server }) => {
  const console = new BackupRecovery(page);
  await server.recoverableAt("orders", Date.now());
  await console.open();
  await page.keyboard.press("2");
  await expect(page.getByRole("tab", { name: "Log Backup Tasks" })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("1");
  await page.keyboard.press("/");
  const search = page.getByRole("tabpanel", { name: "Data Backup Tasks" }).getByRole("searchbox");
  await expect(search).toBeFocused();
  await page.keyboard.type("2gc?");
  await expect(search).toHaveValue("2gc?");
  await expect(page).toHaveURL(/\/clusters\/local\/backup/);
  await search.blur();

  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(help).toContainText("Search the tasks");
  await help.getByRole("checkbox", { name: "Single keys do something" }).uncheck();
  await page.keyboard.press("Escape");
  await expect(help).toBeHidden();
  await page.keyboard.press("2");
  await expect(page.getByRole("tab", { name: "Data Backup Tasks" })).toHaveAttribute("aria-selected", "true");

  await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
  await help.getByRole("checkbox", { name: "Single keys do something" }).check();
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("o");
  await expect(page).toHaveURL(/\/overview$/);
});
