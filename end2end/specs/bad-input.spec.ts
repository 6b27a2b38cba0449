// What cannot be recovered to, or cannot be a name, is told on the page with what could be.
import { expect, open, test } from "../fixtures/test.ts";
import { BackupRecovery, InitiateRecovery, typed } from "../pages/backup-recovery.ts";

test("Initiate Recovery refuses impossible moments and names, and says what is possible", async ({ page, server }) => {
  await server.recoverableAt("orders", Date.now());
  await open(page, "/clusters/local/recovery/new");
  const form = new InitiateRecovery(page);
  const now = Date.now();

  await form.choose("orders", typed(now - 86_400_000), "fresh_one");
  await expect(page.getByText(/^Not recoverable\./)).toBeVisible();
  await expect(form.submit).toHaveAttribute("aria-disabled", "true");

  await form.choose("orders", typed(now + 86_400_000), "fresh_one");
  await expect(page.getByText(/^Not recoverable\./)).toBeVisible();
  await expect(form.submit).toHaveAttribute("aria-disabled", "true");

  await form.choose("orders", "yesterday-ish", "fresh_one");
  await expect(form.moment).toHaveAttribute("aria-invalid", "true");

  await form.choose("orders", typed(now - 500), "payments");
  await expect(form.name).toHaveAttribute("aria-invalid", "true");
  await form.name.fill("9 lives");
  await expect(page.getByText(/2 to 64 letters/i).first()).toBeVisible();
  await expect(form.submit).toHaveAttribute("aria-disabled", "true");

  await form.name.fill("fresh_one");
  await expect(form.name).toHaveAttribute("aria-invalid", "false");
  await expect(form.submit).toBeEnabled();
});

test("unknown addresses answer 404 with a way back", async ({ page, complaints }) => {
  for (const path of ["/no/such/page", "/clusters/nowhere/backup"]) {
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(404);
    await expect(page.getByRole("link", { name: /clusters/i }).first()).toBeVisible();
  }
  // The browser itself reports the status of the page.
  complaints.splice(0, complaints.length, ...complaints.filter((each) => !each.includes("404")));
});

test("another server's page cannot change anything here", async ({ page, server }) => {
  const panel = new BackupRecovery(page);
  await panel.open();
  const refused = await page.request.post(`${server.url}/api/app/api/backups/back_up_now`, {
    data: { cluster: "local", tenant: null, kind: "full" },
    headers: { origin: "http://evil.example", "sec-fetch-site": "cross-site" },
  });
  expect(refused.status()).toBe(403);
});
