// The direction of imports, as CONTRIBUTING.md gives it: a folder may import from its own level's left, never from its right.
const levels = [
  ["engine"],
  ["ops"],
  ["transforms", "kernels"],
  ["distributions", "data", "diagnostics"],
  ["families", "models"],
  ["samplers"],
  ["marginals"],
  ["bounds"],
  ["gradients"],
  ["optimize"],
  ["methods"],
];
const leaves = ["jupyter", "notebook", "cli"];
const folder = (names) => `^src/(${names.join("|")})/`;

const upwards = levels.slice(0, -1).map((names, level) => ({
  name: `${names.join("-and-")}-import-no-later-folder`,
  severity: "error",
  comment: `${names.join(" and ")} may import from ${levels.slice(0, level + 1).flat().join(", ")} only`,
  from: { path: folder(names) },
  to: { path: folder(levels.slice(level + 1).flat()) },
}));

module.exports = {
  forbidden: [
    ...upwards,
    {
      name: "nothing-imports-a-leaf",
      severity: "error",
      comment: "jupyter, notebook and cli are leaves: the mathematics does not know them",
      from: { path: folder(levels.flat()) },
      to: { path: folder(leaves) },
    },
    {
      name: "leaves-keep-apart",
      severity: "error",
      comment: "the kernel and what a cell calls work without the command line and without each other",
      from: { path: folder(["jupyter", "notebook"]) },
      to: { path: "^src/(jupyter|notebook|cli)/", pathNot: "^src/$1/" },
    },
    {
      name: "no-cycles",
      severity: "error",
      comment: "files that import each other cannot be read one at a time",
      from: { path: "^src/" },
      to: { circular: true },
    },
    {
      name: "only-the-public-barrel",
      severity: "error",
      comment: "src/index.ts is the one barrel, for users; the library imports from files",
      from: { path: "^src/" },
      to: { path: "^src/index\\.ts$" },
    },
    {
      name: "tensors-come-from-the-engine",
      severity: "error",
      comment: "tfjs is imported by src/engine alone, everything else takes tf from ../engine/tf.js",
      from: { path: "^src/", pathNot: "^src/engine/" },
      to: { path: "node_modules/@tensorflow/" },
    },
    {
      name: "a-known-folder",
      severity: "error",
      comment: "every folder of src has a place in the order of imports",
      from: { path: "^src/[^/]+/", pathNot: folder([...levels.flat(), ...leaves]) },
      to: {},
    },
    {
      name: "imports-resolve",
      severity: "error",
      comment: "what is imported exists and is in package.json",
      from: { path: "^src/" },
      to: { couldNotResolve: true, pathNot: "^(marginalia)$" },
    },
    {
      name: "no-development-packages",
      severity: "error",
      comment: "what users run needs no devDependencies",
      from: { path: "^src/", pathNot: "^src/cli/test/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["types", "import", "require", "node", "default"] },
  },
};
