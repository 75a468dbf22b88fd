/**
 * marginalia: variational inference in TypeScript.
 *
 * Models, families, bounds, samplers and gradients as small composable functions over TensorFlow.js tensors, and what a notebook needs to
 * report with them. Call `await ready()` (or, in a notebook, `await notebook(id)`) once before anything that makes a tensor.
 *
 * @packageDocumentation
 */

// bounds
export type { Bound } from "./bounds/bound.js";
export { elbo } from "./bounds/elbo.js";
export {
  type BoundEstimate,
  type CollectOptions,
  collectLogWeights,
  type EstimateBoundOptions,
  type EstimateBoundOverDataOptions,
  estimateBound,
  estimateBoundOverData,
} from "./bounds/estimateBound.js";
export {
  exactChiSquare,
  exactIwae,
  exactLogEvidence,
  exactLogTilt,
  exactMarginalElbo,
  type LaplaceTransformOptions,
  type WeightDistribution,
} from "./bounds/exactImportanceWeighted.js";
export { type GridPosterior, type GridPosteriorOptions, gridPosterior } from "./bounds/gridPosterior.js";
export {
  type ImportanceWeightedDistribution,
  type ImportanceWeightedOptions,
  importanceWeightedDistribution,
  type MarginalDensity,
} from "./bounds/importanceWeightedDistribution.js";
export { iwae } from "./bounds/iwae.js";
export type { Sandwich, SandwichOptions } from "./bounds/marginalElbo.js";
export { type PointDensity, weightDistribution } from "./bounds/weightDistribution.js";
export type { BatchStream, StreamedBatch, StreamPosition } from "./data/batchStream.js";
export {
  type BayesLogisticDataset,
  type BayesLogisticName,
  type BayesLogisticOptions,
  bayesLogistic,
} from "./data/bayesLogistic.js";
export { binarise } from "./data/binarise.js";
export { type BitTable, parseBits } from "./data/bits.js";
export { catalogue, type DataFile, type DatasetRecord } from "./data/catalogue.js";
export { type NumberTable, parseCsv } from "./data/csv.js";
export { DataError } from "./data/dataError.js";
export {
  type BinaryImageDataset,
  type BinaryImageOptions,
  BinaryImageSet,
  binaryImages,
  fixedBinarisedMnist,
} from "./data/fixedBinarisedMnist.js";
export { type FrequentWords, frequentWords } from "./data/frequentWords.js";
export { type GlyphDataset, type GlyphFactors, type GlyphOptions, glyphs } from "./data/glyphs.js";
export { type HeldOutTokens, heldOutTokens } from "./data/heldOutTokens.js";
export { holdOutDocuments } from "./data/holdOutDocuments.js";
export { type IdxArray, parseIdx } from "./data/idx.js";
export { type ImageDatasetOptions, imageDataset } from "./data/imageDataset.js";
export { type ImageDataset, type ImageDatasetName, ImageSet } from "./data/images.js";
export { type InspectLdaCOptions, inspectLdaC, type LdaCSummary } from "./data/inspectLdaC.js";
export { type Corpus, corpusRows, type LdaCOptions, parseLdaC, selectDocuments } from "./data/ldaC.js";
export { type LdaCBatchesOptions, ldaCBatches } from "./data/ldaCBatches.js";
export { type StreamLdaCOptions, streamLdaC } from "./data/ldaCStream.js";
export {
  type DataFolder,
  type DatasetStatus,
  dataFolders,
  findDatasets,
  type LocateOptions,
  loadFile,
} from "./data/locate.js";
export { mnist } from "./data/mnist.js";
export { type OmniglotSmallDataset, omniglotSmall } from "./data/omniglotSmall.js";
export { optdigits } from "./data/optdigits.js";
export { type CountDataset, redMites } from "./data/redMites.js";
export { requestedCorpus } from "./data/requestedCorpus.js";
export { type Sequences, selectSequences, sequencesOf } from "./data/sequences.js";
export { type SimulatedDataset, type SimulatedName, simulated, simulatedCsv } from "./data/simulated.js";
export { type SimulatedCorpusOptions, simulatedCorpus, simulatedTopics } from "./data/simulatedCorpus.js";
export { type SimulatedEmissions, type SimulatedSequences, simulatedSequences } from "./data/simulatedSequences.js";
export {
  checkSparseRows,
  type SparseEntry,
  type SparseRows,
  selectSparseRows,
  sparseRowsOf,
} from "./data/sparseRows.js";
export { type CorpusFiles, type TextCorpus, textCorpus } from "./data/textCorpus.js";
export { type WaveformOptions, waveform } from "./data/waveform.js";
export { type WriteSimulatedCorpusOptions, writeSimulatedCorpus } from "./data/writeSimulatedCorpus.js";
// diagnostics: pure functions of numbers
export { autocovariance, bulkEffectiveSampleSize, chainEffectiveSampleSize } from "./diagnostics/autocorrelation.js";
export { chainCorrelation, chainMean, chainStandardDeviation } from "./diagnostics/chainMoments.js";
export { type DrawMoments, drawMoments } from "./diagnostics/drawMoments.js";
export { effectiveSampleSize } from "./diagnostics/effectiveSampleSize.js";
export {
  type KernelSteinDiscrepancy,
  type KernelSteinOptions,
  kernelSteinDiscrepancy,
} from "./diagnostics/kernelSteinDiscrepancy.js";
export { type KolmogorovSmirnov, kolmogorovSmirnov } from "./diagnostics/kolmogorovSmirnov.js";
export { type LeastSquaresLine, leastSquaresLine } from "./diagnostics/leastSquaresLine.js";
export { estimateLogMeanExp } from "./diagnostics/logSumExp.js";
export {
  type MaximumMeanDiscrepancy,
  type MaximumMeanOptions,
  maximumMeanDiscrepancy,
} from "./diagnostics/maximumMeanDiscrepancy.js";
export {
  type Estimate,
  estimateMean,
  mean,
  standardError,
  variance,
  weightedMean,
  weightedVariance,
} from "./diagnostics/moments.js";
export { normalQuantile } from "./diagnostics/normalQuantile.js";
export { type OverdispersedMomentOptions, overdispersedMoment } from "./diagnostics/overdispersedMoment.js";
export { type ParetoSmoothing, paretoSmoothing, paretoThreshold } from "./diagnostics/paretoSmoothing.js";
export {
  type LogPredictive,
  type PointwisePredictiveOptions,
  pointwisePredictive,
} from "./diagnostics/pointwisePredictive.js";
export {
  gaussHermite,
  gaussLegendre,
  logIntegral,
  productRule,
  type Quadrature,
  stretchedTrapezoid,
  trapezoid,
} from "./diagnostics/quadrature.js";
export { rHat } from "./diagnostics/rHat.js";
export { studentQuantile } from "./diagnostics/studentQuantile.js";
export { type SymmetricEigen, symmetricEigen } from "./diagnostics/symmetricEigen.js";
export { type SymmetryTest, symmetryTest } from "./diagnostics/symmetryTest.js";
export { tabulatedCdf } from "./diagnostics/tabulatedCdf.js";
export { Bernoulli, type BernoulliOptions } from "./distributions/bernoulli.js";
export { Beta, type BetaOptions } from "./distributions/beta.js";
export { Categorical, type CategoricalOptions } from "./distributions/categorical.js";
export { Concatenated, type ConcatenatedOptions } from "./distributions/concatenated.js";
export { Dirichlet, type DirichletOptions } from "./distributions/dirichlet.js";
// distributions
export type { Distribution } from "./distributions/distribution.js";
export { coordinateLogProb, type ExponentialMember, exponentialMembers } from "./distributions/exponentialMember.js";
export { Gamma, type GammaOptions } from "./distributions/gamma.js";
export { Independent, type IndependentOptions } from "./distributions/independent.js";
export { IndependentParts, type IndependentPartsOptions } from "./distributions/independentParts.js";
export { InverseGaussian, type InverseGaussianOptions } from "./distributions/inverseGaussian.js";
export { klDivergence } from "./distributions/kl.js";
export { Laplace, type LaplaceOptions } from "./distributions/laplace.js";
export { LogGamma } from "./distributions/logGamma.js";
export { LogitNormal, type LogitNormalOptions } from "./distributions/logitNormal.js";
export { LogNormal, type LogNormalOptions } from "./distributions/logNormal.js";
export { LowRankNormal, type LowRankNormalOptions } from "./distributions/lowRankNormal.js";
export { Mixture, type MixtureOptions } from "./distributions/mixture.js";
export { MultivariateNormal, type MultivariateNormalOptions } from "./distributions/multivariateNormal.js";
export { NegativeBinomial, type NegativeBinomialOptions } from "./distributions/negativeBinomial.js";
export { Normal, type NormalOptions } from "./distributions/normal.js";
export { OneHotCategorical, type OneHotCategoricalOptions } from "./distributions/oneHotCategorical.js";
export { Poisson, type PoissonOptions } from "./distributions/poisson.js";
export { SpikedNormal, type SpikedNormalOptions } from "./distributions/spikedNormal.js";
export { Stacked, type StackedOptions } from "./distributions/stacked.js";
export { StudentT, type StudentTOptions } from "./distributions/studentT.js";
export { Transformed, type TransformedOptions } from "./distributions/transformed.js";
export { Uniform, type UniformOptions } from "./distributions/uniform.js";
export { VonMises, type VonMisesOptions } from "./distributions/vonMises.js";
// engine: where tensors run
export { type BackendName, type BackendReport, backendReport, type ReadyOptions, ready } from "./engine/backend.js";
export { type CompiledStep, type CompileOptions, compile } from "./engine/compile.js";
export {
  type CompiledLoop,
  type CompileLoopOptions,
  compileLoop,
  type LoopInputs,
  type LoopKeys,
  type LoopStep,
} from "./engine/compileLoop.js";
export { beta, dirichlet, gamma, logGamma } from "./engine/gamma.js";
export { type ValueAndGradient, valueAndGradient } from "./engine/gradient.js";
export { breathe, throwIfInterrupted } from "./engine/interrupt.js";
export {
  cloneParameters,
  countParameters,
  disposeParameters,
  type Leaf,
  leaves,
  mapParameters,
  type Parameter,
  type Parameters,
} from "./engine/parameters.js";
export { poisson } from "./engine/poisson.js";
export {
  bernoulli,
  categorical,
  exponential,
  foldIn,
  gumbel,
  type Key,
  normal,
  permutation,
  rademacher,
  randomKey,
  split,
  uniform,
} from "./engine/random.js";
export { randomPermutation } from "./engine/randomPermutation.js";
export { type RepeatOptions, repeat } from "./engine/repeat.js";
export { type Rank, type Scalar, type Tensor, type Tensor1D, type Tensor2D, type Tensor3D, tf } from "./engine/tf.js";
export { amortisedBernoulli } from "./families/amortisedBernoulli.js";
export { type AmortisedCategoricalOptions, amortisedCategorical } from "./families/amortisedCategorical.js";
export { type AmortisedGaussianOptions, amortisedGaussian } from "./families/amortisedGaussian.js";
export { type BetaParameters, betaFamily } from "./families/betaFamily.js";
export { type CategoricalParameters, categoricalFamily } from "./families/categoricalFamily.js";
export { type CouplingFlowOptions, type CouplingFlowParameters, couplingFlow } from "./families/couplingFlow.js";
export { type DirichletParameters, dirichletFamily } from "./families/dirichletFamily.js";
export {
  type ExponentialFamily,
  klDivergence as exponentialKlDivergence,
  logDensity as exponentialLogDensity,
} from "./families/exponentialFamily.js";
export type { ConditionalFamily, Family } from "./families/family.js";
export { type FullRankConditionalParameters, fullRankConditional } from "./families/fullRankConditional.js";
export { type FullRankParameters, fullRankGaussian } from "./families/fullRankGaussian.js";
export { type GammaConditionalOptions, gammaConditional } from "./families/gammaConditional.js";
export { type GammaParameters, gammaFamily } from "./families/gammaFamily.js";
export { type GammaReverseOptions, gammaReverse } from "./families/gammaReverse.js";
export {
  type GaussianConditionalOptions,
  type GaussianConditionalParameters,
  gaussianConditional,
} from "./families/gaussianConditional.js";
export { type GaussianParameters, gaussianFamily } from "./families/gaussianFamily.js";
export { type GaussianReverseOptions, gaussianReverse } from "./families/gaussianReverse.js";
export { type Conditional, type HierarchicalFamilyParameters, hierarchical } from "./families/hierarchical.js";
export type {
  ConditionalHierarchicalFamily,
  ConditionalHierarchicalPosterior,
  ExactHierarchicalFamily,
  ExactHierarchy,
  HierarchicalFamily,
  HierarchicalPosterior,
  Hierarchy,
  Mixing,
  Reverse,
} from "./families/hierarchicalFamily.js";
export { type HierarchicalLaplaceParameters, hierarchicalLaplace } from "./families/hierarchicalLaplace.js";
export {
  type HierarchicalLinearGaussianParameters,
  hierarchicalLinearGaussian,
} from "./families/hierarchicalLinearGaussian.js";
export {
  type HierarchicalNegativeBinomialParameters,
  hierarchicalNegativeBinomial,
} from "./families/hierarchicalNegativeBinomial.js";
export { type ImplicitMixingParameters, implicitMixing, type NoiseMap } from "./families/implicitMixing.js";
export {
  type CholeskyPosteriorParameters,
  choleskyPosterior,
  type InducingPosterior,
} from "./families/inducingPosterior.js";
export {
  type InverseGaussianConditionalOptions,
  inverseGaussianConditional,
} from "./families/inverseGaussianConditional.js";
export { type InverseGaussianReverseOptions, inverseGaussianReverse } from "./families/inverseGaussianReverse.js";
export { type LogitNormalConditionalOptions, logitNormalConditional } from "./families/logitNormalConditional.js";
export { type LowRankGaussianOptions, type LowRankParameters, lowRankGaussian } from "./families/lowRankGaussian.js";
export {
  type MeanFieldBernoulliOptions,
  type MeanFieldBernoulliParameters,
  meanFieldBernoulli,
} from "./families/meanFieldBernoulli.js";
export {
  type MeanFieldCategoricalOptions,
  type MeanFieldCategoricalParameters,
  meanFieldCategorical,
} from "./families/meanFieldCategorical.js";
export { type MeanFieldGammaParameters, meanFieldGamma } from "./families/meanFieldGamma.js";
// families: q
export {
  type GaussianFamilyOptions,
  type MeanFieldParameters,
  meanFieldGaussian,
} from "./families/meanFieldGaussian.js";
export {
  type MeanFieldPoissonGammaOptions,
  type MeanFieldPoissonGammaParameters,
  meanFieldPoissonGamma,
} from "./families/meanFieldPoissonGamma.js";
export { type MixtureConditionalOptions, mixtureConditional } from "./families/mixtureConditional.js";
export {
  type MixtureGaussianOptions,
  type MixtureGaussianParameters,
  mixtureGaussian,
} from "./families/mixtureGaussian.js";
export { type NaturalPosteriorParameters, naturalPosterior } from "./families/naturalPosterior.js";
export {
  type NegativeBinomialConditionalOptions,
  negativeBinomialConditional,
} from "./families/negativeBinomialConditional.js";
export {
  type NormalGammaParameters,
  normalGammaFamily,
  type WeightsAndPrecision,
} from "./families/normalGammaFamily.js";
export {
  type MeanAndPrecision,
  type NormalWishartParameters,
  normalWishartFamily,
} from "./families/normalWishartFamily.js";
export { type ParameterConditionalOptions, parameterConditional } from "./families/parameterConditional.js";
export {
  type PerceptronConditionalOptions,
  type PerceptronOptions,
  perceptronConditional,
} from "./families/perceptronConditional.js";
export {
  type PerceptronReverseOptions,
  perceptronReverse,
  type ReversePerceptronOptions,
} from "./families/perceptronReverse.js";
export { residualReverse } from "./families/residualReverse.js";
export {
  exactReverse,
  mixingReverse,
  type ReverseConditional,
  type ReverseInputs,
  reverseOf,
} from "./families/reverseConditional.js";
export { type StandardNormalFamily, standardNormal } from "./families/standardNormal.js";
export { antithetic } from "./gradients/antithetic.js";
export { arm } from "./gradients/arm.js";
export { type Baseline, leaveOneOut, noBaseline, vimco } from "./gradients/baselines.js";
// gradients
export {
  type CheckedComponent,
  type CheckGradientOptions,
  checkGradient,
  type GradientCheck,
} from "./gradients/check.js";
export {
  type DeclaredGradient,
  declareGradient,
  estimatorTable,
  type Standing,
  unbiased,
} from "./gradients/declared.js";
export { doublyReparameterised } from "./gradients/doublyReparameterised.js";
export { enumeration } from "./gradients/enumeration.js";
export { estimators } from "./gradients/estimators.js";
export type { GammaPathOptions } from "./gradients/gammaPath.js";
export { generalisedReparameterised } from "./gradients/generalisedReparameterised.js";
export {
  estimateGradient,
  type Gradient,
  type GradientEstimate,
  type GradientInputs,
  type Surrogate,
} from "./gradients/gradient.js";
export { type GradientCost, gradientCost } from "./gradients/gradientCost.js";
export { type GradientErrors, type GradientErrorsOptions, gradientErrors } from "./gradients/gradientErrors.js";
export {
  type ComponentVariances,
  type GradientVariance,
  type GradientVarianceOptions,
  gradientVariance,
} from "./gradients/gradientVariance.js";
export { gumbelSoftmax, type RelaxationOptions, straightThrough } from "./gradients/gumbelSoftmax.js";
export { type HierarchicalScoreOptions, hierarchicalScoreFunction } from "./gradients/hierarchicalScoreFunction.js";
export { iwhviDoublyReparameterised } from "./gradients/iwhviDoublyReparameterised.js";
export { type LearnedBaselineOptions, learnedBaseline } from "./gradients/learnedBaseline.js";
export { type OverdispersedOptions, overdispersed } from "./gradients/overdispersed.js";
export { type OverdispersedFactorsOptions, overdispersedFactors } from "./gradients/overdispersedFactors.js";
export { pathDerivative } from "./gradients/pathDerivative.js";
export { quasiMonteCarlo } from "./gradients/quasiMonteCarlo.js";
export { raoBlackwell } from "./gradients/raoBlackwell.js";
export { type RebarOptions, rebar } from "./gradients/rebar.js";
export { type RejectionOptions, rejectionReparameterised } from "./gradients/rejectionReparameterised.js";
export { type RelaxedBitOptions, relaxedBit } from "./gradients/relaxedBit.js";
export { reparameterised } from "./gradients/reparameterised.js";
export { type ControlVariateOptions, scoreControlVariate } from "./gradients/scoreControlVariate.js";
export { type ScoreGradient, type ScoreOptions, type ScoreTerms, scoreFunction } from "./gradients/scoreFunction.js";
export { type TaylorOptions, taylorControlVariate } from "./gradients/taylorControlVariate.js";
export { type UiviParameters, type UiviProblem, uivi, uiviProblem } from "./gradients/uivi.js";
// kernels: positive definite, of a distance
export { productKernel, scaledKernel, sumKernel } from "./kernels/compose.js";
export { inverseMultiquadric } from "./kernels/inverseMultiquadric.js";
export { type KernelFunction, linearFunction, radialFunction } from "./kernels/kernelFunction.js";
export {
  type LearnedKernel,
  type LearnedRadialOptions,
  type LinearParameters,
  learnedLinear,
  learnedProduct,
  learnedRadial,
  learnedSum,
  type PairParameters,
  type RadialParameters,
  type RadialShape,
} from "./kernels/learnedKernel.js";
export { type MaternSmoothness, matern } from "./kernels/matern.js";
export { medianDistance } from "./kernels/medianDistance.js";
export type { RadialKernel } from "./kernels/radialKernel.js";
export { squaredExponential } from "./kernels/squaredExponential.js";
// models and the problems that estimators look at
export { encoderReverse, vaeHierarchy } from "./marginals/encoderReverse.js";
export { exactMarginalGap, type MarginalGap, type NumericHierarchy } from "./marginals/exactMarginalGap.js";
export { exactMarginalWeights, type MarginalWeights } from "./marginals/exactMarginalWeights.js";
export {
  type HierarchicalParameters,
  type HierarchicalProblem,
  hierarchicalDensityProblem,
  hierarchicalLatentVariableProblem,
  hierarchicalPosteriorProblem,
  hierarchicalProblem,
  initialParameters,
  type Target,
} from "./marginals/hierarchicalProblem.js";
export { hierarchicalSamplingProblem } from "./marginals/hierarchicalSamplingProblem.js";
export { fittedQ, type HierarchyWithTau } from "./marginals/hierarchyWithTau.js";
export { logEvidenceBounds } from "./marginals/logEvidenceBounds.js";
export type { DrawsOptions, DrawsProgress } from "./marginals/logRatios.js";
export {
  collectLogWeightBounds,
  type LogWeightBounds,
  type LogWeightBoundsOptions,
} from "./marginals/logWeightBounds.js";
export {
  type HierarchicalDraws,
  hvm,
  iwhvi,
  type Marginal,
  type MarginalInputs,
  sampleHierarchy,
  sivi,
} from "./marginals/marginal.js";
export { type MeasuredMarginalGap, marginalGap } from "./marginals/marginalGap.js";
export {
  exactReverseSampler,
  type HmcReverseOptions,
  type HmcReverseParameters,
  hmcReverseSampler,
  importanceReverseSampler,
  marginalScore,
  ownReverseSampler,
  type ReverseDraws,
  type ReverseSampler,
  type ReverseSamplerInputs,
} from "./marginals/reverseSampler.js";
export {
  type MarginalBounds,
  type MarginalSandwich,
  type MarginalSandwichOptions,
  marginalBounds,
  sandwich,
} from "./marginals/sandwich.js";
export { type AdviFit, type AdviOptions, type AdviSummary, advi } from "./methods/advi.js";
export type { AdviStage } from "./methods/adviStages.js";
export { type CaviOptions, type CaviPoint, type CaviResult, cavi } from "./methods/cavi.js";
export {
  type CollapsedLdaOptions,
  type CollapsedLdaPoint,
  type CollapsedLdaResult,
  type CollapsedLdaState,
  collapsedLda,
} from "./methods/collapsedLda.js";
export {
  type CollapsedMixtureOptions,
  type CollapsedMixturePoint,
  type CollapsedMixtureResult,
  type CollapsedMixtureState,
  collapsedMixture,
} from "./methods/collapsedMixture.js";
export { type DeltaMethodFit, type DeltaMethodOptions, deltaMethod } from "./methods/deltaMethod.js";
export {
  type DistributedOptions,
  type DistributedPoint,
  type DistributedResult,
  distributedVariationalInference,
} from "./methods/distributedVariationalInference.js";
export type { HessianEstimate } from "./methods/expectedCurvature.js";
export { type Explainable, type Explanation, explain, type FitVerdict } from "./methods/explain.js";
export { type GaussianCoordinateAscent, gaussianCoordinateAscent } from "./methods/gaussianCoordinateAscent.js";
export type { GaussianExpectation } from "./methods/gaussianNodes.js";
export { type GradientNoise, type GradientNoiseOptions, gradientNoise } from "./methods/gradientNoise.js";
export { type JaakkolaJordanFit, type JaakkolaJordanOptions, jaakkolaJordan } from "./methods/jaakkolaJordan.js";
export {
  type LaplaceApproximation,
  type LaplaceApproximationOptions,
  type LowRankCurvatureOptions,
  laplace,
} from "./methods/laplace.js";
export { ldaStatistics } from "./methods/ldaStatistics.js";
export type { LocalGaussian } from "./methods/localGaussian.js";
export {
  type MemoisedOptions,
  type MemoisedPoint,
  type MemoisedResult,
  memoisedVariationalInference,
} from "./methods/memoisedVariationalInference.js";
export {
  batchesInParts,
  type CutMinibatch,
  corpusInParts,
  cutRows,
  datasetInParts,
  modelInParts,
  rowsInParts,
  sumOfParts,
} from "./methods/minibatchParts.js";
export {
  type MoleculerBroker,
  type MoleculerPoolOptions,
  type MoleculerStatistics,
  moleculerPool,
  moleculerStatistics,
} from "./methods/moleculerPool.js";
export { type NaturalGradientNoise, naturalGradientNoise } from "./methods/naturalGradientNoise.js";
export {
  type OutOfCoreOptions,
  type OutOfCorePoint,
  type OutOfCoreResult,
  outOfCoreVariationalInference,
} from "./methods/outOfCoreVariationalInference.js";
export {
  type PopulationOptions,
  type PopulationPoint,
  type PopulationResult,
  populationVariationalInference,
} from "./methods/populationVariationalInference.js";
export {
  type SagaViOptions,
  type SagaViPoint,
  type SagaViResult,
  sagaVariationalInference,
} from "./methods/sagaVariationalInference.js";
export { type SimulatedPool, type SimulatedPoolOptions, simulatedPool } from "./methods/simulatedPool.js";
export {
  type Calibration,
  type SimulationBasedCalibrationOptions,
  simulationBasedCalibration,
} from "./methods/simulationBasedCalibration.js";
export {
  type LocalMap,
  type LocalStatistics,
  loadStatistics,
  localPool,
  rowsMap,
  type StatisticsPool,
  type StatisticsSource,
} from "./methods/statisticsPool.js";
export {
  type SviOptions,
  type SviPoint,
  type SviResult,
  stochasticVariationalInference,
} from "./methods/stochasticVariationalInference.js";
export { type StreamingOptions, type StreamingPoint, type StreamingResult, streaming } from "./methods/streaming.js";
export {
  naturalGradientError,
  type SvrgViOptions,
  type SvrgViPoint,
  type SvrgViResult,
  svrgVariationalInference,
} from "./methods/svrgVariationalInference.js";
export { type ThreadPoolOptions, threadPool } from "./methods/threadPool.js";
export {
  type VonOptions,
  type VonPoint,
  type VonResult,
  variationalOnlineNewton,
} from "./methods/variationalOnlineNewton.js";
export { allBits } from "./models/allStates.js";
export { antitheticDraws } from "./models/antitheticDraws.js";
export {
  type BayesianLinearRegression,
  type BayesianLinearRegressionOptions,
  bayesianLinearRegression,
  type RegressionBatch,
  type RegressionGlobal,
} from "./models/bayesianLinearRegression.js";
export {
  type BernoulliChain,
  bernoulliChain,
  type ChainLogits,
  type ChainNumbers,
  type ChainParameters,
  chainWeightDistribution,
  exactChainElbo,
} from "./models/bernoulliChain.js";
export type { BernoulliProblem } from "./models/bernoulliProblem.js";
export { bitWeights } from "./models/bitWeights.js";
export { categoricalEmissions } from "./models/categoricalEmissions.js";
export { type ChainScoreOptions, exactChainScoreVariance } from "./models/chainScoreVariance.js";
export {
  type CollapsedBoundOptions,
  type CollapsedParameters,
  collapsedBound,
  initialCollapsed,
} from "./models/collapsedBound.js";
export { type ConjugateGaussian, conjugateGaussian, type Normal1 } from "./models/conjugateGaussian.js";
export {
  type ConjugateModel,
  type Correction,
  type Dataset,
  globalStep,
  type LocalStep,
  type NaturalParameters,
  type Rows,
  rowsDataset,
  rowsOf,
} from "./models/conjugateModel.js";
export { corpusDataset } from "./models/corpusDataset.js";
export {
  type DeepGaussianProcess,
  type DeepGaussianProcessOptions,
  type DeepGaussianProcessParameters,
  deepGaussianProcess,
  type GaussianProcessLayer,
  type InnerLayerParameters,
} from "./models/deepGaussianProcess.js";
export { type DispersedProblem, type DispersionParameters, withDispersions } from "./models/dispersions.js";
export { type DocumentCompletion, documentCompletion } from "./models/documentCompletion.js";
export {
  type CentredSchools,
  type ExactEightSchools,
  type ExactMoments,
  eightSchoolsCentred,
  eightSchoolsNonCentred,
  exactEightSchools,
  type NonCentredSchools,
} from "./models/eightSchools.js";
export type { Emissions } from "./models/emissions.js";
export type { EnumeratedAssignments } from "./models/enumeratedAssignments.js";
export { type BitModel, enumeratedLogEvidence } from "./models/enumeratedLogEvidence.js";
export { type ExactHiddenMarkovModel, exactHiddenMarkovModel } from "./models/exactHiddenMarkovModel.js";
export { type ExactLda, exactLda } from "./models/exactLda.js";
export { approximateCentre, type CentreMoments, type ExactMixture, exactMixture } from "./models/exactMixture.js";
export { type ExactMixtureAssignments, exactMixtureAssignments } from "./models/exactMixtureAssignments.js";
export {
  type FactorDispersedProblem,
  type FactorDispersionParameters,
  withFactorDispersions,
} from "./models/factorDispersions.js";
export { type FactorisedProblem, type Factors, withFactors } from "./models/factorisedProblem.js";
export { type ReplaceableProblem, withIndependentSets } from "./models/factorReplacement.js";
export {
  type CurvedSum,
  evaluateSum,
  type FiniteSum,
  minibatchVariance,
  type SmoothSum,
  type SumAndGradient,
} from "./models/finiteSum.js";
export { type Chain, forwardBackward, type Smoothed } from "./models/forwardBackward.js";
export {
  type GammaNormalSeries,
  type GammaNormalSeriesOptions,
  gammaNormalSeries,
  type SeriesLaw,
  type SeriesUnknowns,
  simulateGammaNormalSeries,
} from "./models/gammaNormalSeries.js";
export { type GaussianEmissions, gaussianEmissions } from "./models/gaussianEmissions.js";
export { gaussianLogisticSum, type TermExpectation } from "./models/gaussianLogisticSum.js";
export {
  type GaussianMean,
  type GaussianMeanGlobal,
  type GaussianMeanOptions,
  gaussianMean,
} from "./models/gaussianMean.js";
export {
  type GaussianMixture,
  type GaussianMixtureOptions,
  gaussianMixture,
  type MixtureGlobal,
  type MixtureParameters,
} from "./models/gaussianMixture.js";
export {
  type GaussianProcess,
  type GaussianProcessData,
  gaussianProcess,
  type LatentMarginals,
} from "./models/gaussianProcess.js";
export { type GreedyInducing, greedyInducing } from "./models/greedyInducing.js";
export { heldOutPerplexity } from "./models/heldOutPerplexity.js";
export {
  type HiddenMarkovModel,
  type HiddenMarkovModelOptions,
  type HmmGlobal,
  hiddenMarkovModel,
} from "./models/hiddenMarkovModel.js";
export {
  type HierarchicalLinearOptions,
  type HierarchicalLinearSupports,
  hierarchicalLinear,
} from "./models/hierarchicalLinear.js";
export { type JointMlp, type JointMlpOptions, jointMlp } from "./models/jointMlp.js";
export type { KlWeight, KlWeighted } from "./models/klWeight.js";
export { labelledRows } from "./models/labelledRows.js";
export {
  type LatentDirichletAllocation,
  type LdaGlobal,
  type LdaLocal,
  type LdaOptions,
  latentDirichletAllocation,
} from "./models/latentDirichletAllocation.js";
export { ldaResponsibilities } from "./models/ldaResponsibilities.js";
export { type BaselinedProblem, withLearnedBaseline } from "./models/learnedBaseline.js";
export { type GridModel, type LogEvidence, type LogEvidenceOptions, logEvidence } from "./models/logEvidence.js";
export { type LogisticRegressionOptions, logisticRegression } from "./models/logisticRegression.js";
export { type LogisticSum, logisticSum } from "./models/logisticSum.js";
export { logisticTerms } from "./models/logisticTerms.js";
export { logPredictive } from "./models/logPredictive.js";
export {
  type FactorsGlobal,
  type MatrixFactorisation,
  type MatrixFactorisationOptions,
  matrixFactorisation,
} from "./models/matrixFactorisation.js";
export { mixtureLogPredictive } from "./models/mixtureLogPredictive.js";
export {
  type Activation,
  type DenseParameters,
  type Mlp,
  type MlpParameters,
  mlp,
  withOutputBias,
} from "./models/mlp.js";
export { type MultinomialRegressionOptions, multinomialRegression } from "./models/multinomialRegression.js";
export { objectiveProblem } from "./models/objectiveProblem.js";
export { banana, multimodal, type PlanarToy, xShaped } from "./models/planarToys.js";
export {
  bernoulliLikelihood,
  gaussianLikelihood,
  type NoiseParameters,
  type PointLikelihood,
} from "./models/pointLikelihood.js";
export {
  type PoissonDeepExponentialFamily,
  type PoissonDeepExponentialFamilyOptions,
  poissonDeepExponentialFamily,
} from "./models/poissonDeepExponentialFamily.js";
export {
  type PoissonFactorisation,
  type PoissonFactorisationOptions,
  type PoissonFactorsGlobal,
  type PoissonFactorsLocal,
  poissonFactorisation,
} from "./models/poissonFactorisation.js";
export { type PoissonRegressionOptions, poissonRegression } from "./models/poissonRegression.js";
export { predictiveDensity } from "./models/predictiveDensity.js";
export {
  type ConditionalPosterior,
  type DrawsWithLogQ,
  densityProblem,
  drawLogWeights,
  type LatentVariableModel,
  latentVariableProblem,
  type NoParameters,
  type Point,
  type Posterior,
  type Problem,
  posteriorProblem,
  withFixedModel,
} from "./models/problem.js";
export { type DrawnFunction, randomFunction } from "./models/randomFunction.js";
export type { RegressionModel } from "./models/regressionModel.js";
export { sequencesDataset } from "./models/sequencesDataset.js";
export { type SeriesPredictiveOptions, seriesPredictive } from "./models/seriesPredictive.js";
export {
  type SigmoidBeliefNetwork,
  type SigmoidBeliefNetworkOptions,
  type SigmoidBeliefNetworkParameters,
  sigmoidBeliefNetwork,
} from "./models/sigmoidBeliefNetwork.js";
export { sparseDataset } from "./models/sparseDataset.js";
export {
  type SparseGaussianProcess,
  type SparseGaussianProcessOptions,
  sparseGaussianProcess,
} from "./models/sparseGaussianProcess.js";
export {
  type Marginals,
  type SparseProcessParameters,
  type Svgp,
  type SvgpOptions,
  type SvgpParameters,
  svgp,
} from "./models/svgp.js";
export {
  bimodal,
  eightGaussians,
  gaussianSum,
  type ToyComponent,
  type ToyDensity,
  trimodal,
} from "./models/toyDensities.js";
export { type Vae, type VaeOptions, vae } from "./models/vae.js";
export type { Beside } from "./models/withParameters.js";
export { wordTotals } from "./models/wordTotals.js";
// notebook: what a cell calls
export type {
  Claim,
  ClaimDescription,
  ClaimInput,
  ClaimsFile,
  Published,
  Verdict,
} from "./notebook/claim.js";
export { type ContourLine, contourLines, massLevels } from "./notebook/contourLines.js";
export { type ContourOptions, type ContourPanel, type ContourRow, contours } from "./notebook/contours.js";
export { dataFrame } from "./notebook/dataFrame.js";
export { display, displayUpdatable, type MimeBundle, type UpdatableDisplay } from "./notebook/display.js";
export type { Expectation, Measured } from "./notebook/expectation.js";
export type { Chart, FigureOptions } from "./notebook/figure.js";
export { type GridAxis, type HeatmapOptions, type HeatmapPanel, heatmaps } from "./notebook/heatmaps.js";
export { type ImageBlock, type ImageGridOptions, imageGrid } from "./notebook/imageGrid.js";
export {
  type AxisOptions,
  type LineChartOptions,
  lineChart,
  type ReferenceLine,
  sideBySide,
  smallMultiples,
} from "./notebook/lineChart.js";
export { formatMeasured } from "./notebook/measured.js";
export { Notebook, type NotebookOptions, notebook } from "./notebook/notebook.js";
export type { Profile } from "./notebook/profile.js";
export type {
  LiveTrace,
  Progress as StepProgress,
  Step as ProgressStep,
  TraceOptions,
  TrainingStep,
} from "./notebook/progress.js";
export { type RegressionChartOptions, type RegressionPanel, regressionChart } from "./notebook/regressionChart.js";
export { type PngOptions, renderPng, renderSvg, type SvgOptions } from "./notebook/render.js";
export type {
  Channel,
  ChannelDef,
  ChartData,
  ChartSpec,
  Encoding,
  FieldType,
  Json,
  JsonObject,
  ListChannel,
  MarkType,
  Row,
} from "./notebook/spec.js";
export type { DataFrameLike, TableColumn, TableOptions, TableRow } from "./notebook/table.js";
export { type WordList, wordBars } from "./notebook/wordBars.js";
// ops: differentiable operations
export { affine } from "./ops/affine.js";
export { bernoulliLogDensity } from "./ops/bernoulliLogDensity.js";
export { cholesky } from "./ops/cholesky.js";
export { deviance } from "./ops/deviance.js";
export { digamma } from "./ops/digamma.js";
export { exp } from "./ops/exp.js";
export { implicitDraw } from "./ops/implicitDraw.js";
export { lgamma } from "./ops/lgamma.js";
export { logBeta, logMultivariateBeta } from "./ops/logBeta.js";
export { logGammaSlope } from "./ops/logGammaSlope.js";
export { logMeanExp } from "./ops/logMeanExp.js";
export { logSigmoid } from "./ops/logSigmoid.js";
export { logSumExp } from "./ops/logSumExp.js";
export { type MatMulOptions, matMul } from "./ops/matMul.js";
export { normalLogDensity } from "./ops/normalLogDensity.js";
export {
  type LogMeanExpOptions,
  type PairwiseOptions,
  pairwiseNormalLogDensity,
  pairwiseNormalLogMeanExp,
} from "./ops/pairwiseNormalLogDensity.js";
export { relu } from "./ops/relu.js";
export { segmentSum } from "./ops/segmentSum.js";
export { sigmoid } from "./ops/sigmoid.js";
export { softplus } from "./ops/softplus.js";
export { stopGradient } from "./ops/stopGradient.js";
export { tanh } from "./ops/tanh.js";
export { type TriangularSolveOptions, triangularSolve } from "./ops/triangularSolve.js";
// optimize
export { type AdaGradOptions, type AdaGradState, adaGrad } from "./optimize/adaGrad.js";
export { type AdamOptions, type AdamState, adam } from "./optimize/adam.js";
export {
  type AdaptiveBatchSize,
  type AdaptiveBatchSizeOptions,
  adaptiveBatchSize,
  type BatchHalves,
  optimalBatchSize,
} from "./optimize/adaptiveBatchSize.js";
export { type AdaptiveRate, adaptiveRate, optimalRate } from "./optimize/adaptiveRate.js";
export { type Averaging, type AveragingState, exponentialAveraging, polyakAveraging } from "./optimize/averaging.js";
export type { Advance } from "./optimize/calls.js";
export type { CheckpointOptions, Settings } from "./optimize/checkpoint.js";
export type { Compilation } from "./optimize/compiledSteps.js";
export type { DescentOptions, DescentPoint, DescentResult } from "./optimize/finiteSumDescent.js";
export { type FitOptions, type FitResult, fit, type ProblemOfStep, type Start } from "./optimize/fit.js";
export { importanceRows, type WeightedRows } from "./optimize/importanceRows.js";
export { type IterateOptions, type IterateResult, iterate } from "./optimize/iterate.js";
export { type Minibatch, type Minibatches, minibatches } from "./optimize/minibatches.js";
export { type NaturalStepsOptions, naturalSteps } from "./optimize/naturalSteps.js";
export { type NewtonResult, newton } from "./optimize/newton.js";
export type { Optimizer, Schedule } from "./optimize/optimizer.js";
export { type Progress, progressText } from "./optimize/progress.js";
export { robbinsMonro } from "./optimize/robbinsMonro.js";
export { decodeSafetensors, encodeSafetensors, type StoredTensor } from "./optimize/safetensors.js";
export { saga, sagaContraction } from "./optimize/saga.js";
export { sampledRows } from "./optimize/sampledRows.js";
export { type ScaledUpdatesOptions, scaledUpdates } from "./optimize/scaledUpdates.js";
export { constant, exponentialDecay, linear, piecewise } from "./optimize/schedules.js";
export { shuffledRows } from "./optimize/shuffledRows.js";
export { type SignedStepsOptions, signedSteps } from "./optimize/signedSteps.js";
export { type Snapshot, type Snapshots, snapshots } from "./optimize/snapshots.js";
export type {
  ManySteps,
  ManyStepsInputs,
  ManyStepsResult,
  Step,
  StepInputs,
  StepResult,
} from "./optimize/step.js";
export { type PlainValue, type Stepwise, stepwise } from "./optimize/stepwise.js";
export { stochasticGradientDescent } from "./optimize/stochasticGradientDescent.js";
export { anyOf, gradientBelow, type PlateauOptions, plateau, type StopRule, timeLimit } from "./optimize/stopping.js";
export { type SvrgOptions, svrg, svrgContraction } from "./optimize/svrg.js";
export type { At, SampleSchedule, Schedules, Stages } from "./optimize/timetable.js";
export type { TracePoint } from "./optimize/trace.js";
export {
  type FitState,
  type ModelAndPosterior,
  type VariationalStep,
  variationalStep,
} from "./optimize/variationalStep.js";
// samplers
export { ChainDraws, type CoordinateSummary, summariseChains } from "./samplers/chainDraws.js";
export { type GaussianHmc, type GaussianHmcOptions, gaussianHmc } from "./samplers/gaussianHmc.js";
export { type HmcOptions, type HmcProgress, hmc } from "./samplers/hmc.js";
export { type HmcChain, type HmcChainOptions, hmcChain } from "./samplers/hmcChain.js";
export { HmcDraws, type HmcTuning } from "./samplers/hmcDraws.js";
export { type HmcKernel, type HmcState, type HmcStep, hmcState, hmcTransition } from "./samplers/hmcTransition.js";
export { type LeapfrogOptions, leapfrog, type PhasePoint } from "./samplers/leapfrog.js";
export {
  type Blankets,
  type MetropolisSweep,
  type MetropolisSweepOptions,
  metropolisSweep,
} from "./samplers/metropolisSweep.js";
export {
  MetropolisDraws,
  type MetropolisProgress,
  type MetropolisWithinGibbsOptions,
  metropolisWithinGibbs,
} from "./samplers/metropolisWithinGibbs.js";
export { quasiDraws } from "./samplers/quasiDraws.js";
export { normalQuantiles, quasiNormal, shiftedSobol } from "./samplers/quasiNormal.js";
export { sir, sirIndices } from "./samplers/sir.js";
export type { LogDensity, Slope } from "./samplers/slope.js";
export { sobolDimensions, sobolPoints } from "./samplers/sobol.js";
export { type AdaptedStepSizeOptions, adaptedStepSize } from "./samplers/stepSizeAdaptation.js";
// transforms: bijections with log-determinants
export { type AffineCouplingOptions, affineCoupling } from "./transforms/affineCoupling.js";
export type { Bijection } from "./transforms/bijection.js";
export { chained } from "./transforms/chained.js";
export { correlationCholesky } from "./transforms/correlationCholesky.js";
export { type IntervalOptions, interval } from "./transforms/interval.js";
export { lowerCholesky } from "./transforms/lowerCholesky.js";
export { ordered } from "./transforms/ordered.js";
export { type PositiveOptions, positive } from "./transforms/positive.js";
export { real } from "./transforms/real.js";
export { simplex } from "./transforms/simplex.js";
export {
  type Constrained,
  type Supports,
  type Unconstrained,
  type UnconstrainedOptions,
  unconstrained,
} from "./transforms/unconstrained.js";
