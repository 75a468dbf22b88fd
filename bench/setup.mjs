/** `npm run bench:setup`: JAX, PyTorch, scikit-learn and gensim in `bench/.venv`. */
import { runProgram } from "./compile.mjs";

await runProgram("setup");
