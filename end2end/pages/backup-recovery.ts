// The Backup & Recovery page of a cluster and the Initiate Recovery page, by what a person sees.
import { expect, type Locator, type Page } from "@playwright/test";
import { open } from "../fixtures/test.ts";

/** `2026-11-12 14:32:07.250000`, as the moment input shows it for a viewer in UTC. */
export function typed(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", "000");
}

export type TabName =
  | "Data Backup Tasks"
  | "Log Backup Tasks"
  | "Second Data Backup"
  | "Second Log Backup"
  | "Recovery Tasks"
  | "Cleanup Tasks";

export class BackupRecovery {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async open(cluster = "local", query = ""): Promise<void> {
    await open(this.page, `/clusters/${cluster}/backup${query}`);
    await expect(this.page.getByRole("heading", { level: 1, name: "Backup & Recovery" })).toBeVisible();
  }

  /** The value and context of one of the facts under "Basic information". */
  fact(label: string): Locator {
    const section = this.page.getByRole("region", { name: "Basic information" });
    return section.locator("dl > div").filter({ has: this.page.getByText(label, { exact: true }) });
  }

  /** The log checkpoint as milliseconds. */
  async checkpoint(): Promise<number> {
    const at = await this.fact("Log Backup Checkpoint").getByRole("time").getAttribute("datetime");
    return Date.parse(at ?? "");
  }

  async tab(name: TabName): Promise<Locator> {
    const tab = this.page.getByRole("tab", { name });
    await tab.click();
    await expect(tab).toHaveAttribute("aria-selected", "true");
    return this.page.getByRole("tabpanel", { name });
  }

  /** Presses Back up Now, chooses, and gives the number of the task made. */
  async backUpNow(tenant: string): Promise<number> {
    await this.page.getByRole("button", { name: "Back up Now" }).click();
    const dialog = this.page.getByRole("dialog", { name: "Back up Now" });
    await dialog.getByLabel("Tenant").selectOption({ label: tenant });
    await dialog.getByRole("radio", { name: /^Full/ }).check();
    await dialog.getByRole("button", { name: "Back up Now" }).click();
    await expect(dialog).toBeHidden();
    const toast = this.page.getByText(/^Full, task \d+\.$/);
    await expect(toast).toBeVisible();
    return Number(/\d+/.exec(await toast.innerText())?.[0]);
  }

  /** The row of a task. */
  row(panel: Locator, task: number): Locator {
    return panel.getByRole("row").filter({
      has: this.page.getByRole("button", { name: `Task ${task}, details` }),
    });
  }
}

export class InitiateRecovery {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  get submit(): Locator {
    return this.page.getByRole("button", { name: "Initiate Recovery" });
  }

  get name(): Locator {
    return this.page.getByLabel("New tenant name");
  }

  get moment(): Locator {
    return this.page.getByLabel("Recover to", { exact: true });
  }

  async choose(tenant: string, at: string, newName: string): Promise<void> {
    const select = this.page.getByLabel("Source tenant");
    const option = select.locator("option").filter({ hasText: new RegExp(`^${tenant}\\b`) });
    await select.selectOption((await option.first().getAttribute("value")) ?? "");
    await this.moment.fill(at);
    await this.moment.press("Tab");
    await this.name.fill(newName);
  }
}
