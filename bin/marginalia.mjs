#!/usr/bin/env node
// No import and no new syntax here: an old Node has to get as far as the sentence.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) {
  import("./start.mjs");
} else {
  console.error(
    `marginalia needs Node 20.19, 22.12 or newer; this is Node ${process.versions.node} (${process.execPath}).`,
  );
  process.exitCode = 1;
}
