// Figures of the page in a browser; not part of the tests. `make bench-page` prints them.
import { defineConfig } from "@playwright/test";
import tests from "./playwright.config.ts";

export default defineConfig({ ...tests, testDir: "figures", timeout: 900_000, reporter: [["line"]] });
