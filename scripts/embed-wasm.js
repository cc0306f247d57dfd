// Writes src/generated/core-wasm.ts: the built wasm as base64, so that the default entry needs no file.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const base64 = readFileSync("build/core.wasm").toString("base64");
mkdirSync("src/generated", { recursive: true });
writeFileSync(
  "src/generated/core-wasm.ts",
  `// Made from build/core.wasm by scripts/embed-wasm.js.\nexport const coreWasmBase64 =\n  "${base64}";\n`,
);
