// Nobody comes in without signing in: the first administrator, signing in and out, lock-out, and what a viewer may do.
import { administrator } from "../fixtures/server.ts";
import { expect, open, test } from "../fixtures/test.ts";

test.describe("a new console", () => {
  test.use({ signedIn: false, demo: false, javaScriptEnabled: false });

  test("the link makes the first administrator once, and signing in brings back to where one was", async ({ page, server, complaints }) => {
    await page.goto("/audit");
    await expect(page.getByRole("heading", { level: 1, name: "Set up first" })).toBeVisible();
    const link = await server.firstLink();
    await page.goto(link);
    await page.getByLabel("Name").fill(administrator.name);
    await page.getByLabel("Password", { exact: true }).fill("short");
    await page.getByLabel("The same password again").fill("short");
    await page.getByRole("button", { name: "Make administrator" }).click();
    await expect(page.getByRole("alert")).toContainText("Password");
    // The browser tells every answer that is a refusal.
    complaints.splice(0);
    await expect(page.getByLabel("Name")).toHaveValue(administrator.name);
    await page.getByLabel("Password", { exact: true }).fill(administrator.password);
    await page.getByLabel("The same password again").fill(administrator.password);
    await page.getByRole("button", { name: "Make administrator" }).click();
    await expect(page).not.toHaveURL(/first-run/);

    await page.context().clearCookies();
    await page.goto(link);
    await expect(page).toHaveURL(/sign-in/);
    await page.goto("/audit");
    await expect(page).toHaveURL(/sign-in\?to=/);
    await page.getByLabel("Name").fill(administrator.name);
    await page.getByLabel("Password", { exact: true }).fill(administrator.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(/\/audit$/);
    await expect(page.getByRole("heading", { level: 1, name: "Audit" })).toBeVisible();
  });
});

test("somebody who guesses has to wait, and is told how long", async ({ browser, page: _signedIn, server, complaints }) => {
  const context = await browser.newContext({ baseURL: server.url, storageState: { cookies: [], origins: [] } });
  const page = await context.newPage();
  await page.goto("/sign-in");
  const wrong = page.getByRole("alert");
  for (let tries = 0; tries < 12; tries += 1) {
    await page.getByLabel("Name").fill(administrator.name);
    await page.getByLabel("Password", { exact: true }).fill(`guess number ${tries}`);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(wrong).toBeVisible();
    if (/Too many failed attempts/.test((await wrong.textContent()) ?? "")) break;
  }
  await expect(wrong).toContainText(/Too many failed attempts\. Wait \d+ (seconds|minutes), then try again\./);
  await context.close();
  expect(complaints).toEqual([]);
});

test("a viewer sees the page without its buttons, and an administrator finds in the audit what was done", async ({ browser, page, server }) => {
  const added = await server.command<{ url: string }>("user", "add", "watcher", "--role", "viewer", "--everywhere");
  const context = await browser.newContext({ baseURL: server.url, storageState: { cookies: [], origins: [] } });
  const watching = await context.newPage();
  await watching.goto(added.url);
  await watching.getByLabel("Password", { exact: true }).fill("only looking at the sea");
  await watching.getByLabel("The same password again").fill("only looking at the sea");
  await watching.getByRole("button", { name: "Set password and sign in" }).click();
  await open(watching, "/clusters/local/backup");
  await expect(watching.getByRole("heading", { level: 1, name: "Backup & Recovery" })).toBeVisible();
  await expect(watching.getByRole("button", { name: "Back up Now" })).toHaveCount(0);
  await expect(watching.getByRole("link", { name: "Initiate Recovery" })).toHaveCount(0);
  await context.close();

  await open(page, "/audit");
  await expect(page.getByRole("table")).toContainText("watcher");
});
