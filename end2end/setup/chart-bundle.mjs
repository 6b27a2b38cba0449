// Builds public/vendor/echarts.js: only the chart parts the pages use, tree-shaken, with licences.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";

const parts = `
  export { init, use, connect, disconnect, dispose, getInstanceByDom } from "echarts/core";
  import { use } from "echarts/core";
  import { BarChart, LineChart } from "echarts/charts";
  import {
    AriaComponent, DatasetComponent, GridComponent, LegendComponent, TooltipComponent,
  } from "echarts/components";
  import { SVGRenderer } from "echarts/renderers";
  use([BarChart, LineChart, AriaComponent, DatasetComponent, GridComponent, LegendComponent,
    TooltipComponent, SVGRenderer]);
`;
const folder = "public/vendor";
const { version } = JSON.parse(await readFile("node_modules/echarts/package.json", "utf8"));

await mkdir(folder, { recursive: true });
await build({
  stdin: { contents: parts, resolveDir: process.cwd(), loader: "js" },
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "echarts",
  target: "es2020",
  legalComments: "inline",
  banner: { js: `/*! Apache ECharts ${version}, Apache-2.0; see echarts.LICENSE.txt and echarts.NOTICE.txt */` },
  outfile: `${folder}/echarts.js`,
});
await copyFile("node_modules/echarts/LICENSE", `${folder}/echarts.LICENSE.txt`);
await copyFile("node_modules/echarts/NOTICE", `${folder}/echarts.NOTICE.txt`);
const zrender = await readFile("node_modules/zrender/LICENSE", "utf8");
await writeFile(`${folder}/zrender.LICENSE.txt`, zrender);
