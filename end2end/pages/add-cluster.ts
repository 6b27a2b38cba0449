// The form that adds a cluster, by what a person sees.
import { expect, type Locator, type Page } from "@playwright/test";
import { open } from "../fixtures/test.ts";
import { password, type OceanBase } from "../fixtures/oceanbase.ts";

export class AddCluster {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async open(path = "/clusters/new"): Promise<void> {
    await open(this.page, path);
    await this.page.getByRole("radio", { name: "OceanBase" }).check();
  }

  get submit(): Locator {
    return this.page.getByRole("button", { name: "Add cluster" });
  }

  get test(): Locator {
    return this.page.getByRole("button", { name: "Test connection" });
  }

  async fill(name: string, addresses: string, secret = password): Promise<void> {
    await this.page.getByLabel("Cluster name").fill(name);
    await this.page.getByLabel("Addresses").fill(addresses);
    await this.page.getByLabel("Password").fill(secret);
  }

  /** A step of the test. */
  step(name: string): Locator {
    return this.page.getByRole("listitem").filter({ hasText: name });
  }
}

/** Adds a cluster and stays on its Backup & Recovery page. */
export async function add(page: Page, name: string, cluster: OceanBase): Promise<void> {
  const form = new AddCluster(page);
  await form.open();
  await form.fill(name, cluster.address);
  await form.submit.click();
  await expect(page).toHaveURL(new RegExp(`/clusters/${name}/backup`));
  await expect(page.getByRole("heading", { level: 1, name: "Backup & Recovery" })).toBeVisible();
}
