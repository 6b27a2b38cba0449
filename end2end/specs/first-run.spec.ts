// A server without the demo: the first page makes a cluster, and backups begin.
import { expect, open, test } from "../fixtures/test.ts";

test.use({ demo: false });

test("the first page makes an embedded cluster with a tenant", async ({ page, server }) => {
  await open(page, "/");
  await page.getByLabel("Cluster name").fill("harbour");
  await page.getByLabel("Tenant name").fill("ledger");
  await page.getByRole("button", { name: "Create cluster" }).click();
  await expect(page).toHaveURL(/\/clusters\/harbour\/backup/);
  await expect(page.getByRole("heading", { level: 1, name: "Backup & Recovery" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Basic information" })).toContainText("1 tenant");
  const { tenants } = await server.command<{ tenants: { name: string }[] }>("tenant", "list", "--cluster", "harbour");
  expect(tenants.map((one) => one.name)).toEqual(["ledger"]);
});

test("a bad name is told beside its field and nothing is made", async ({ page }) => {
  await open(page, "/");
  await page.getByLabel("Cluster name").fill("1 st");
  await page.getByRole("button", { name: "Create cluster" }).click();
  await expect(page.getByLabel("Cluster name")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByText(/^Use 2 to 64 letters/)).toBeVisible();
  await expect(page).not.toHaveURL(/backup/);
});
