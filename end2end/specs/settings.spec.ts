// Settings: a channel is added, refused, tested, switched off and removed; storage configurations say who uses them.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, open, test } from "../fixtures/test.ts";

test("a channel is added, tested, switched off and removed", async ({ page, complaints }) => {
  const received: string[] = [];
  const receiver = createServer((request, response) => {
    request.on("data", (part: Buffer) => received.push(part.toString()));
    request.on("end", () => response.end("ok"));
  });
  await new Promise<void>((done) => receiver.listen(0, "127.0.0.1", done));
  const { port } = receiver.address() as AddressInfo;
  try {
    await open(page, "/settings");
    // Inside it the table scrolls as a region of the same name.
    const channels = page.getByRole("region", { name: "Notification channels" }).first();
    await expect(channels).toContainText("Nobody is told about alerts");
    await channels.getByRole("button", { name: "Add channel" }).click();
    const form = page.getByRole("dialog", { name: "Add channel" });
    await form.getByLabel("Name").fill("night_watch");
    await form.getByLabel("Address").fill("ftp://example.org/x");
    await form.getByRole("button", { name: "Save" }).click();
    await expect(form).toContainText("Use http or https");
    // The browser notes that the server refused.
    expect(complaints.splice(0)).toHaveLength(1);
    await form.getByLabel("Address").fill(`http://127.0.0.1:${port}/hook/very-secret`);
    await form.getByRole("button", { name: "Save" }).click();
    await expect(form).toBeHidden();

    const row = channels.getByRole("row").filter({ hasText: "night_watch" });
    await expect(row).toContainText(`http://127.0.0.1:${port}`);
    await expect(row).not.toContainText("very-secret");
    await row.getByRole("button", { name: "Test night_watch" }).click();
    await expect(page.getByText("The test message has arrived")).toBeVisible();
    expect(received.join("")).toContain("test");

    await row.getByRole("button", { name: "Disable night_watch" }).click();
    await expect(row).toContainText("Off");
    await row.getByRole("button", { name: "Remove night_watch" }).click();
    await row.getByRole("button", { name: "Remove night_watch" }).click();
    await expect(channels).toContainText("Nobody is told about alerts");
  } finally {
    receiver.close();
  }
});

test("storage configurations say whose backups they hold", async ({ page }) => {
  await open(page, "/settings");
  const storages = page.getByRole("region", { name: "Storage configurations" });
  await expect(storages.getByRole("row").filter({ hasText: "local" })).toContainText("80 %");
  await expect(storages.getByRole("link", { name: "local" })).toHaveAttribute("href", "/clusters/local/strategy");
});

test("overviews lead to where something can be done", async ({ page, server }) => {
  await server.recoverableAt("orders", Date.now());
  await open(page, "/clusters");
  await page.getByRole("link", { name: "local", exact: true }).click();
  await expect(page).toHaveURL(/\/clusters\/local$/);
  await open(page, "/overview");
  await expect(page.getByRole("region", { name: "Core metrics" })).toContainText("Clusters with a backup strategy");
  await page.getByRole("region", { name: /^Backed up/ }).getByRole("link", { name: "local", exact: true }).click();
  await expect(page).toHaveURL(/\/clusters\/local$/);
  await expect(page.getByRole("heading", { level: 1, name: "local" })).toBeVisible();
  const tenants = page.getByRole("region", { name: "Tenants" });
  await expect(tenants.getByRole("row").filter({ hasText: "orders" })).toContainText("Online");
  await tenants.getByRole("link", { name: "Recover orders" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Initiate Recovery" })).toBeVisible();
});
