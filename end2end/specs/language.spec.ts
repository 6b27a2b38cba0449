// The pages in Chinese: chosen by the browser's preference or by the viewer, and remembered.
import { expect, open, test } from "../fixtures/test.ts";

const address = "/clusters/local/backup?tab=log";

test("the viewer's choice is remembered and leads back to the same page", async ({ page }) => {
  await open(page, address);
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await page.getByRole("link", { name: "中文" }).click();
  await expect(page).toHaveURL(new RegExp(`${address.replace("?", "\\?")}$`));
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
  await expect(page.locator("body[data-hydrated]")).toBeAttached();
  // What the browser makes anew is in the same language.
  await page.getByRole("navigation", { name: "主导航" }).getByRole("link", { name: "集群", exact: true }).click();
  await expect(page).toHaveURL(/\/clusters$/);
  await expect(page.getByRole("link", { name: "跳到正文" })).toBeAttached();
  await open(page, address);
  await page.getByRole("link", { name: "English" }).click();
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
});

test("what can be chosen in a filter is in the viewer's language", async ({ page }) => {
  await open(page, "/language?to=zh&back=%2Fclusters%2Flocal%2Fbackup");
  await page.getByRole("tabpanel", { name: "数据备份任务" }).getByRole("button", { name: /^时间/ }).click();
  const choices = page.locator("#data-time");
  for (const name of ["最近 1 小时", "最近 24 小时", "最近 7 天", "最近 30 天", "不限时间"]) {
    await expect(choices.getByRole("link", { name })).toBeVisible();
  }
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false, locale: "zh-CN" });

  test("a browser that prefers Chinese gets it, and can choose English", async ({ page }) => {
    await page.goto(address);
    await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
    await page.getByRole("link", { name: "English" }).click();
    await expect(page.locator("html")).toHaveAttribute("lang", "en");
    await expect(page).toHaveURL(new RegExp(`${address.replace("?", "\\?")}$`));
  });
});
