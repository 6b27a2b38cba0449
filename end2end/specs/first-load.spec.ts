// What a first visit downloads, compressed with brotli: printed, and never above the limit.
import { brotliCompressSync } from "node:zlib";
import { expect, test } from "../fixtures/test.ts";

/** What a first visit may take without the font, in bytes. */
const limit = 428_000;
/** What the font may take. */
const fontLimit = 60_000;

test("a first visit stays below its limit, and downloads no chart library", async ({ page, server }) => {
  const sizes = new Map<string, number>();
  const pending: Promise<void>[] = [];
  page.on("response", (response) => {
    pending.push((async () => {
      const path = new URL(response.url()).pathname;
      const type = response.headers()["content-type"] ?? "";
      const kind = response.request().resourceType();
      if (kind === "fetch" && !type.includes("wasm")) return;
      if (response.status() !== 200) return;
      const size = type.startsWith("text/html")
        ? brotliCompressSync(await response.body()).length
        : (await response.request().sizes()).responseBodySize;
      if (/\.(css|js|wasm)$/.test(path)) {
        expect(response.headers()["content-encoding"], path).toBe("br");
      }
      sizes.set(path, size);
    })());
  });
  await page.goto(`${server.url}/clusters/local/backup`);
  await expect(page.locator("body[data-hydrated]")).toBeAttached();
  await Promise.all(pending);

  const font = sizes.get("/vendor/inter.woff2") ?? 0;
  expect(font, "the font is sent, and small").toBeGreaterThan(0);
  expect(font).toBeLessThanOrEqual(fontLimit);
  const lines = [...sizes].map(([path, size]) => `  ${String(size).padStart(8)}  ${path}`);
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0) - font;
  console.log(`first load, brotli:\n${lines.join("\n")}\n  ${String(total).padStart(8)}  bytes of ${limit}, the font apart`);
  expect([...sizes.keys()].some((path) => path.endsWith(".wasm"))).toBe(true);
  expect([...sizes.keys()].filter((path) => path.includes("echarts"))).toEqual([]);
  expect(total).toBeLessThanOrEqual(limit);
});
