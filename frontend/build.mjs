// Builds what the pages load into the package: files named by content, and a manifest of them.
import { build } from "esbuild";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "src", "demeter", "web", "static", "dist");

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
const result = await build({
  absWorkingDir: here,
  entryPoints: { page: "src/page.ts", photo: "src/photo.ts", style: "src/styles/page.css" },
  outdir: dist,
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "safari16"],
  legalComments: "linked",
  metafile: true,
  logLevel: "info",
});

const manifest = {};
for (const [file, output] of Object.entries(result.metafile.outputs)) {
  if (!output.entryPoint) continue;
  const plain = basename(output.entryPoint).replace(/\.ts$/, ".js");
  manifest[plain] = basename(file);
}
// Written last: whoever reads it finds every file that it names.
await writeFile(join(dist, "manifest.json"), JSON.stringify(manifest, null, 1));
