// Prints `src/api/schema.ts`: the shapes of the hub's OpenAPI document as types. Paths are left out: the client
// names them itself, and what a wrong one answers is an error that the page shows.
import { readFileSync } from "node:fs";
import openapiTS, { astToString, type OpenAPI3 } from "openapi-typescript";

const DOCUMENT = new URL("../crates/hub/openapi.json", import.meta.url);
const HEADER = "// Generated from crates/hub/openapi.json by `cargo xtask gen`; do not edit.\n";

const document = JSON.parse(readFileSync(DOCUMENT, "utf8")) as OpenAPI3;
const types = await openapiTS({ ...document, paths: {} });
process.stdout.write(HEADER + astToString(types));
