import { expect, it } from "vitest";
import { elbo } from "../../src/bounds/elbo.js";
import { iwae } from "../../src/bounds/iwae.js";
import { estimatorTable } from "../../src/gradients/declared.js";
import { estimators } from "../../src/gradients/estimators.js";

const page = new URL("../../docs/estimators.md", import.meta.url).pathname;
const again = "npx vitest run test/gradients/estimatorsPage.test.ts --update";

const text = `# Gradient estimators and bounds

How each gradient estimator of the library stands to each bound, written from what the estimators declare (\`standing\`) and held to exact gradients by the tests.

K is the number of draws z of q for each datum, B the number of data in a batch, N the number of factors of q, or of bits or categories in z; θ are the model's parameters,
φ those of q, ψ a hierarchical q's own latent. τ is a dispersion in \`overdispersed\` and \`overdispersedFactors\` (1 draws from q itself, more draws wider), and the law that estimates q(ψ | z, x) in \`iwhviDoublyReparameterised\`.

- **made for**: the q, and what else of the problem, that it asks for; it throws for others where it can tell. Draws with a path are differentiable in φ.
- **unbiased**: its mean is the bound's gradient, in θ and in φ; a note says on what condition.
- **biased**: it runs, and its mean is another; the note says why.
- **refused**: it throws before a draw is made, with the note as its error.

${estimatorTable(estimators, [elbo, iwae])}

A test compares this page with the declarations. To write it anew: \`${again}\`.
`;

it("docs/estimators.md is what the estimators declare", async () => {
  const stale = `docs/estimators.md is out of date; write it anew by ${again}`;
  await expect(text, stale).toMatchFileSnapshot(page);
});
