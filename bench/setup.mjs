/** `npm run bench:setup`: JAX and PyTorch in `bench/.venv`. */
import { runProgram } from "./compile.mjs";

await runProgram("setup");
