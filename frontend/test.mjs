// Bundles each tests/*.test.ts as the pages' own scripts are, and runs them with Node's runner.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const bundles = join(here, "node_modules", ".tests");
const tests = (await readdir(join(here, "tests"))).filter((name) => name.endsWith(".test.ts"));

await rm(bundles, { recursive: true, force: true });
await build({
  absWorkingDir: here,
  entryPoints: tests.map((name) => join("tests", name)),
  outdir: bundles,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: "inline",
  external: ["happy-dom"],
  alias: { openseadragon: "./tests/viewer.ts" }, // the library wants a browser that draws
  logLevel: "warning",
});
const files = tests.map((name) => join(bundles, basename(name, ".ts") + ".mjs"));
const options = ["--enable-source-maps", "--test", "--test-reporter=spec"];
const run = spawnSync(process.execPath, [...options, ...files], { stdio: "inherit" });
process.exit(run.status ?? 1);
