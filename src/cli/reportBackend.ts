import { ready } from "../engine/backend.js";

/** Loads the backend that a notebook would get and prints its report as one line of JSON; run by `marginalia doctor`. */
ready().then(
  (report) => process.stdout.write(`${JSON.stringify(report)}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
