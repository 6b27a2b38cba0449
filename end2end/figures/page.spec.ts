// What the Backup & Recovery page costs a browser: bytes by kind, times, long tasks, memory after an hour of polling, and
// how much is drawn anew when one row changes.
import type { CDPSession, Page } from "@playwright/test";
import { expect, test } from "../fixtures/test.ts";

/** Times and long tasks of the page, noted from its very beginning. */
interface Noted {
  hydrated: number;
  longTasks: number[];
  changes: { added: number; removed: number; texts: number; attributes: number };
}

declare global {
  interface Window {
    noted: Noted;
  }
}

async function note(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const changes = { added: 0, removed: 0, texts: 0, attributes: 0 };
    window.noted = { hydrated: 0, longTasks: [], changes };
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.noted.longTasks.push(entry.duration);
    }).observe({ type: "longtask", buffered: true });
    new MutationObserver((records) => {
      if (!window.noted.hydrated && document.body?.hasAttribute("data-hydrated")) window.noted.hydrated = performance.now();
      for (const record of records) {
        changes.added += record.addedNodes.length;
        changes.removed += record.removedNodes.length;
        if (record.type === "characterData") changes.texts += 1;
        if (record.type === "attributes") changes.attributes += 1;
      }
    }).observe(document, { attributes: true, childList: true, characterData: true, subtree: true });
  });
}

/** Heap, nodes and listeners once everything unused is gone; the module's memory apart, which never shrinks. */
async function memory(client: CDPSession): Promise<{ heapMb: number; nodes: number; listeners: number }> {
  await client.send("HeapProfiler.collectGarbage");
  const heap = await client.send("Runtime.getHeapUsage");
  const counters = await client.send("Memory.getDOMCounters");
  const backing = (heap as { backingStorageSize?: number }).backingStorageSize ?? 0;
  return { heapMb: (heap.usedSize + backing) / 1e6, nodes: counters.nodes, listeners: counters.jsEventListeners };
}

test("bytes, times and long tasks of a first visit", async ({ page, server }) => {
  await server.recoverableAt("orders", Date.now());
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  const kinds = new Map<string, string>();
  const bytes = new Map<string, number>();
  client.on("Network.responseReceived", (event) => kinds.set(event.requestId, event.type));
  client.on("Network.loadingFinished", (event) => {
    const kind = kinds.get(event.requestId) ?? "Other";
    bytes.set(kind, (bytes.get(kind) ?? 0) + event.encodedDataLength);
  });
  await note(page);
  await page.goto("/clusters/local/backup");
  await expect(page.locator("body[data-hydrated]")).toBeAttached();
  await page.waitForLoadState("networkidle").catch(() => undefined);
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0);
  const noted = await page.evaluate(() => window.noted);
  const total = [...bytes.values()].reduce((sum, size) => sum + size, 0);
  const kindsLine = [...bytes].map(([kind, size]) => `${kind} ${(size / 1000).toFixed(1)} kB`).join(", ");
  console.log(`transferred: ${(total / 1000).toFixed(1)} kB (${kindsLine})`);
  console.log(`first paint after ${paint.toFixed(0)} ms, interactive after ${noted.hydrated.toFixed(0)} ms`);
  console.log(`long tasks: ${noted.longTasks.map((ms) => `${ms.toFixed(0)} ms`).join(", ") || "none"}`);
  expect(noted.hydrated).toBeGreaterThan(0);
});

test("memory after an hour of polling", async ({ page, server }) => {
  await server.recoverableAt("orders", Date.now());
  await note(page);
  await page.clock.install();
  await page.goto("/clusters/local/backup");
  await expect(page.locator("body[data-hydrated]")).toBeAttached();
  const client = await page.context().newCDPSession(page);
  let polls = 0;
  page.on("response", (response) => {
    if (response.url().includes("/feed/since")) polls += 1;
  });
  const step = async (seconds: number): Promise<void> => {
    for (let at = 0; at < seconds; at += 2) {
      await page.clock.runFor(2000);
      // The answer comes in real time.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
      await new Promise((done) => setTimeout(done, 15));
    }
  };
  await step(120);
  const before = await memory(client);
  polls = 0;
  await step(3600);
  const after = await memory(client);
  console.log(`an hour of polling (${polls} answers): heap ${before.heapMb.toFixed(1)} -> ${after.heapMb.toFixed(1)} MB, ` +
    `nodes ${before.nodes} -> ${after.nodes}, listeners ${before.listeners} -> ${after.listeners}`);
  const long = (await page.evaluate(() => window.noted.longTasks)).filter((ms) => ms > 100);
  console.log(`tasks over 100 ms: ${long.length}`);
  expect(polls).toBeGreaterThan(100);
});

test("what is drawn anew when one row changes", async ({ page, server }) => {
  await server.recoverableAt("orders", Date.now());
  await note(page);
  await page.goto("/clusters/local/backup?tab=data#tasks");
  await expect(page.locator("body[data-hydrated]")).toBeAttached();
  const rows = page.getByRole("tabpanel").getByRole("row");
  const before = await rows.count();
  await server.command("backup", "--tenant", "orders", "--full", "--wait");
  // At rest the page asks every 20 s.
  await expect(rows).toHaveCount(before + 1, { timeout: 60_000 });
  const newest = rows.nth(1);
  await expect(newest).toContainText("Completed");
  await page.evaluate(() => {
    Object.assign(window.noted.changes, { added: 0, removed: 0, texts: 0, attributes: 0 });
  });
  let polls = 0;
  page.on("response", (response) => {
    if (response.url().includes("/feed/since")) polls += 1;
  });
  await server.command("backup", "--tenant", "orders", "--full", "--wait");
  await expect(rows).toHaveCount(before + 2, { timeout: 60_000 });
  await expect(newest).toContainText("Completed");
  const all = await page.evaluate(() => document.querySelectorAll("*").length);
  const { added, removed, texts, attributes } = await page.evaluate(() => window.noted.changes);
  console.log(`a new row and its states, ${polls} polls: ${added} nodes added, ${removed} removed, ${texts} texts and ` +
    `${attributes} attributes changed, of ${all} elements on the page`);
});
