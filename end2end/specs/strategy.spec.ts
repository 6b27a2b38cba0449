// The form of a backup strategy: what is wrong is said at its field and nothing typed is lost; next runs, advice and what
// would be removed stand beside it; "no change" is refused.
import { expect, open, test } from "../fixtures/test.ts";

test("a strategy is made, refused, corrected and changed", async ({ page, server, complaints }) => {
  await server.recoverableAt("orders", Date.now());
  await open(page, "/clusters/local/strategy/edit");
  const form = page.locator("form.form-layout");
  const rail = page.getByRole("complementary", { name: "What follows from it" });

  await test.step("the next runs and what would be removed are there before anything is saved", async () => {
    await expect(rail.getByRole("listitem")).toHaveCount(5);
    const removed = rail.getByRole("region", { name: "What would be removed today" });
    await expect(removed).toContainText("Nothing: expired backups are not removed.");
    await form.getByLabel("Remove expired backups").check();
    await expect(removed).toContainText("Nothing has expired.");
  });

  await test.step("advice follows what is typed", async () => {
    await form.getByLabel("Keep backups for", { exact: true }).fill("3");
    await expect(rail).toContainText(/To keep 3 days recoverable, up to \d+ days of backups have to stay/);
    await form.getByLabel("Keep backups for", { exact: true }).fill("7");
  });

  await test.step("a wrong value is refused at its field, and everything typed stays", async () => {
    await form.getByLabel("Log backup delay").fill("0");
    await form.getByRole("button", { name: "Create" }).click();
    await expect(form.getByRole("alert")).toContainText("The strategy was not saved");
    await expect(form.getByLabel("Log backup delay")).toHaveAttribute("aria-invalid", "true");
    await expect(form.getByLabel("Log backup delay")).toHaveValue("0");
    expect(complaints.splice(0)).toHaveLength(1);
    await form.getByLabel("Log backup delay").fill("3600");
  });

  await test.step("corrected it is saved", async () => {
    await form.getByRole("button", { name: "Create" }).click();
    await expect(page).toHaveURL(/\/clusters\/local\/strategy$/);
    await expect(page.getByText("Backup strategy saved")).toBeVisible();
  });

  await test.step("the tab tells the strategy", async () => {
    const card = page.getByRole("region", { name: "Backup Strategy" });
    await expect(card).toContainText("Second backup not enabled");
    await expect(card).toContainText("Next runs");
  });

  await test.step("nothing changed is refused; a changed day is saved", async () => {
    await open(page, "/clusters/local/strategy/edit");
    await form.getByRole("button", { name: "Save changes" }).click();
    await expect(form.getByRole("alert")).toContainText(/nothing was changed in the backup strategy of cluster local/i);
    expect(complaints.splice(0)).toHaveLength(1);
    await form.getByLabel("Keep backups for", { exact: true }).fill("14");
    await form.getByRole("button", { name: "Save changes" }).click();
    await expect(page.getByText("local, 1 field changed.")).toBeVisible();
  });
});

test("a viewer reads the strategy and may not change it", async ({ server, browser }) => {
  await server.recoverableAt("orders", Date.now());
  const added = await server.command<{ url: string }>("user", "add", "kim", "--role", "viewer");
  const context = await browser.newContext({ baseURL: server.url, storageState: { cookies: [], origins: [] } });
  const kim = await context.newPage();
  await kim.goto(added.url);
  await kim.getByLabel("Password", { exact: true }).fill("vier Moewen am Kai");
  await kim.getByLabel("The same password again").fill("vier Moewen am Kai");
  await kim.getByRole("button", { name: "Set password and sign in" }).click();
  await open(kim, "/clusters/local/strategy");
  await expect(kim.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(kim.getByRole("link", { name: "New Backup Strategy" })).toHaveCount(0);
  await context.close();
});
