// Builds what the pages load into the package: files named by content, and a manifest of them.
import { build } from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "src", "demeter", "web", "static", "dist");

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
const result = await build({
  absWorkingDir: here,
  entryPoints: {
    page: "src/page.ts",
    photo: "src/photo.ts",
    beds: "src/beds.ts",
    review: "src/review.ts",
    count: "src/count/count.ts",
    sw: "src/sw.ts",
    style: "src/styles/page.css",
  },
  outdir: dist,
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "safari16"],
  legalComments: "linked",
  loader: { ".woff2": "file" },
  assetNames: "[name]-[hash]",
  metafile: true,
  logLevel: "info",
});

const manifest = {};
for (const [file, output] of Object.entries(result.metafile.outputs)) {
  if (!output.entryPoint) continue;
  const plain = basename(output.entryPoint).replace(/\.ts$/, ".js");
  manifest[plain] = basename(file);
}

// Icons are drawn into the pages by the server: what is within each one's <svg>, by its name.
const icons = {};
for (const name of JSON.parse(await readFile(join(here, "icons.json"), "utf8"))) {
  const drawing = await readFile(join(here, "node_modules/lucide-static/icons", `${name}.svg`), "utf8");
  icons[name] = drawing.match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1].trim().replace(/\s*\n\s*/g, "");
}
await writeFile(join(dist, "icons.json"), JSON.stringify(icons));
for (const [name, file] of [["lucide-static", "LICENSE"], ["@fontsource-variable/inter", "LICENSE"]]) {
  const text = await readFile(join(here, "node_modules", name, file), "utf8");
  await writeFile(join(dist, `${name.split("/").pop()}.LICENSE.txt`), text);
}
// Written last: whoever reads it finds every file that it names.
await writeFile(join(dist, "manifest.json"), JSON.stringify(manifest, null, 1));
