// Writes src/generated/*-wasm.ts: what was built, as base64, so that the default entry needs no file.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

mkdirSync("src/generated", { recursive: true });
for (const name of ["core", "model"]) {
  const base64 = readFileSync(`build/${name}.wasm`).toString("base64");
  writeFileSync(
    `src/generated/${name}-wasm.ts`,
    `// Made from build/${name}.wasm by scripts/embed-wasm.js.\nexport const ${name}WasmBase64 =\n  "${base64}";\n`,
  );
}
