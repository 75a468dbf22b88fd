import { CompileError } from "./compileError.js";

/**
 * The operations of libtensorflow that a compiled step may hold, as its registry defines them: `Name(inputs) outputs`.
 *
 * An input or output is a type attribute (`T`), a fixed type (`#3`, by its number in TensorFlow's DataType), a list of equal types whose
 * length is an attribute (`N*T`), or a list whose types are an attribute (`*Tin`).
 */
const table = `
Abs(T) y: T
Acos(T) y: T
Acosh(T) y: T
Add(T, T) z: T
AddN(N*T) sum: T
AddV2(T, T) z: T
All(#10, Tidx) output: #10
Any(#10, Tidx) output: #10
ApproximateEqual(T, T) z: #10
ArgMax(T, Tidx) output: output_type
ArgMin(T, Tidx) output: output_type
Asin(T) y: T
Asinh(T) y: T
Atan(T) y: T
Atan2(T, T) z: T
Atanh(T) y: T
BatchMatMulV2(T, T) output: T
BesselI0(T) y: T
BesselI0e(T) y: T
BesselI1(T) y: T
BesselI1e(T) y: T
Betainc(T, T, T) z: T
BiasAdd(T, T) output: T
BiasAddGrad(T) output: T
Bitcast(T) output: type
BitwiseAnd(T, T) z: T
BitwiseOr(T, T) z: T
BitwiseXor(T, T) z: T
BroadcastTo(T, Tidx) output: T
Cast(SrcT) y: DstT
Ceil(T) y: T
Cholesky(T) output: T
ClipByValue(T, T, T) output: T
ConcatV2(N*T, Tidx) output: T
Conv2D(T, T) output: T
Conv2DBackpropFilter(T, #3, T) output: T
Conv2DBackpropInput(#3, T, T) output: T
Cos(T) y: T
Cosh(T) y: T
Cumprod(T, Tidx) out: T
Cumsum(T, Tidx) out: T
CumulativeLogsumexp(T, Tidx) out: T
DepthwiseConv2dNative(T, T) output: T
DepthwiseConv2dNativeBackpropFilter(T, #3, T) output: T
DepthwiseConv2dNativeBackpropInput(#3, T, T) output: T
Diag(T) output: T
Digamma(T) y: T
Div(T, T) z: T
DivNoNan(T, T) z: T
Einsum(N*T) output: T
Elu(T) activations: T
EluGrad(T, T) backprops: T
Equal(T, T) z: #10
Erf(T) y: T
Erfc(T) y: T
Erfinv(T) y: T
EuclideanNorm(T, Tidx) output: T
Exp(T) y: T
ExpandDims(T, Tdim) output: T
Expm1(T) y: T
Fill(index_type, T) output: T
Floor(T) y: T
FloorDiv(T, T) z: T
FloorMod(T, T) z: T
GatherNd(Tparams, Tindices) output: Tparams
GatherV2(Tparams, Tindices, Taxis) output: Tparams
Greater(T, T) z: #10
GreaterEqual(T, T) z: #10
Identity(T) output: T
IdentityN(*T) output: *T
Igamma(T, T) z: T
IgammaGradA(T, T) z: T
Igammac(T, T) z: T
InvertPermutation(T) y: T
IsFinite(T) y: #10
IsInf(T) y: #10
IsNan(T) y: #10
L2Loss(T) output: T
LeakyRelu(T) activations: T
LeakyReluGrad(T, T) backprops: T
LeftShift(T, T) z: T
Less(T, T) z: #10
LessEqual(T, T) z: #10
Lgamma(T) y: T
LinSpace(T, T, Tidx) output: T
Log(T) y: T
Log1p(T) y: T
LogMatrixDeterminant(T) sign: T, log_abs_determinant: T
LogSoftmax(T) logsoftmax: T
LogicalAnd(#10, #10) z: #10
LogicalNot(#10) y: #10
LogicalOr(#10, #10) z: #10
MatMul(T, T) product: T
MatrixBandPart(T, Tindex, Tindex) band: T
MatrixDeterminant(T) output: T
MatrixDiagPartV3(T, #3, T) diagonal: T
MatrixDiagV3(T, #3, #3, #3, T) output: T
MatrixInverse(T) output: T
MatrixSetDiagV3(T, T, #3) output: T
MatrixSolve(T, T) output: T
MatrixSolveLs(T, T, #2) output: T
MatrixTriangularSolve(T, T) output: T
Max(T, Tidx) output: T
Maximum(T, T) z: T
Mean(T, Tidx) output: T
Min(T, Tidx) output: T
Minimum(T, T) z: T
Mod(T, T) z: T
Mul(T, T) z: T
MulNoNan(T, T) z: T
Ndtri(T) y: T
Neg(T) y: T
NotEqual(T, T) z: #10
OneHot(TI, #3, T, T) output: T
OnesLike(T) y: T
Pack(N*T) output: T
PadV2(T, Tpaddings, T) output: T
PartitionedCall(*Tin) output: *Tout
Polygamma(T, T) z: T
Pow(T, T) z: T
Prod(T, Tidx) output: T
Qr(T) q: T, r: T
RandomGammaGrad(T, T) output: T
Range(Tidx, Tidx, Tidx) output: Tidx
RealDiv(T, T) z: T
Reciprocal(T) y: T
Relu(T) activations: T
Relu6(T) activations: T
Relu6Grad(T, T) backprops: T
ReluGrad(T, T) backprops: T
Reshape(T, Tshape) output: T
ReverseV2(T, Tidx) output: T
RightShift(T, T) z: T
Roll(T, Tshift, Taxis) output: T
Round(T) y: T
Rsqrt(T) y: T
RsqrtGrad(T, T) z: T
ScatterNd(Tindices, T, Tindices) output: T
SegmentMax(T, Tindices) output: T
SegmentMean(T, Tindices) output: T
SegmentMin(T, Tindices) output: T
SegmentProd(T, Tindices) output: T
SegmentSum(T, Tindices) output: T
Select(#10, T, T) output: T
SelectV2(#10, T, T) output: T
SelfAdjointEigV2(T) e: T, v: T
Selu(T) activations: T
SeluGrad(T, T) backprops: T
Sigmoid(T) y: T
SigmoidGrad(T, T) z: T
Sign(T) y: T
Sin(T) y: T
Sinh(T) y: T
Slice(T, Index, Index) output: T
Softmax(T) softmax: T
Softplus(T) activations: T
SoftplusGrad(T, T) backprops: T
Softsign(T) activations: T
SoftsignGrad(T, T) backprops: T
SplitV(T, Tlen, #3) output: num_split*T
Sqrt(T) y: T
SqrtGrad(T, T) z: T
Square(T) y: T
SquaredDifference(T, T) z: T
Squeeze(T) output: T
StatelessIf(Tcond, *Tin) output: *Tout
StatelessMultinomial(T, #3, Tseed) output: output_dtype
StatelessRandomBinomial(S, Tseed, T, T) output: dtype
StatelessRandomGammaV2(T, Tseed, dtype) output: dtype
StatelessRandomGammaV3(shape_dtype, #23, #23, #3, dtype) output: dtype
StatelessRandomNormal(T, Tseed) output: dtype
StatelessRandomNormalV2(Tshape, #23, #23, #3) output: dtype
StatelessRandomPoisson(T, Tseed, Rtype) output: dtype
StatelessRandomUniform(T, Tseed) output: dtype
StatelessRandomUniformFullInt(T, Tseed) output: dtype
StatelessRandomUniformFullIntV2(Tshape, #23, #23, #3) output: dtype
StatelessRandomUniformInt(T, Tseed, dtype, dtype) output: dtype
StatelessRandomUniformIntV2(Tshape, #23, #23, #3, dtype, dtype) output: dtype
StatelessRandomUniformV2(Tshape, #23, #23, #3) output: dtype
StatelessTruncatedNormal(T, Tseed) output: dtype
StatelessWhile(*T) output: *T
StopGradient(T) output: T
StridedSlice(T, Index, Index, Index) output: T
Sub(T, T) z: T
Sum(T, Tidx) output: T
Svd(T) s: T, u: T, v: T
Tan(T) y: T
Tanh(T) y: T
TanhGrad(T, T) z: T
TensorScatterAdd(T, Tindices, T) output: T
TensorScatterMax(T, Tindices, T) output: T
TensorScatterMin(T, Tindices, T) output: T
TensorScatterSub(T, Tindices, T) output: T
TensorScatterUpdate(T, Tindices, T) output: T
Tile(T, Tmultiples) output: T
TopKV2(T, Tk) values: T, indices: index_type
Transpose(T, Tperm) y: T
Unpack(T) output: num*T
UnravelIndex(Tidx, Tidx) output: Tidx
UnsortedSegmentMax(T, Tindices, Tnumsegments) output: T
UnsortedSegmentMin(T, Tindices, Tnumsegments) output: T
UnsortedSegmentProd(T, Tindices, Tnumsegments) output: T
UnsortedSegmentSum(T, Tindices, Tnumsegments) output: T
Xdivy(T, T) z: T
Xlog1py(T, T) z: T
Xlogy(T, T) z: T
ZerosLike(T) y: T
Zeta(T, T) z: T
_FusedMatMul(T, T, num_args*T) product: T
`;

/** One output of an operation: its name in the registry, its type, and the attribute that counts it where it is a list. */
interface OperationOutput {
  readonly name: string;
  readonly type: string;
}

/** What the registry says of one operation. */
export interface Operation {
  readonly inputs: readonly string[];
  readonly outputs: readonly OperationOutput[];
}

let operations: Map<string, Operation> | undefined;

/**
 * The definition of an operation.
 *
 * @throws Error if a compiled step cannot hold the operation.
 */
export function operation(name: string): Operation {
  operations ??= new Map(table.trim().split("\n").map(parse));
  const found = operations.get(name);
  if (!found)
    throw new CompileError(
      `the step runs TensorFlow's ${name}, which a compiled step cannot hold; run it before or after the step.`,
    );
  return found;
}

function parse(line: string): [string, Operation] {
  const [, name, inputs, outputs] = /^(\w+)\((.*)\) (.*)$/.exec(line) as unknown as [string, string, string, string];
  const list = (text: string): string[] => (text === "" ? [] : text.split(", "));
  const output = (text: string): OperationOutput => {
    const [outputName, type] = text.split(": ") as [string, string];
    return { name: outputName, type };
  };
  return [name, { inputs: list(inputs), outputs: list(outputs).map(output) }];
}
