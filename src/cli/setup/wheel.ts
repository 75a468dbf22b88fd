/** A wheel of the Python package index that holds TensorFlow's C library. */
export interface Wheel {
  /** Name and version, as pip takes them. */
  readonly requirement: string;
  readonly version: string;
  /** The platform tag to ask for, whatever platform pip itself runs on. */
  readonly platformTag: string;
  readonly sha256: string;
  /** Size of the download in bytes. */
  readonly bytes: number;
}

/** The Python that the wheels were built for; it need not be the one that downloads them. */
export const wheelPython = { version: "3.11", implementation: "cp", abi: "cp311" } as const;

const version = "2.15.1";

// The C libraries of these four export all that tfjs-node's addon needs. There are none for Windows with headers to match.
const wheels: Readonly<Record<string, Wheel>> = {
  "linux-x64": {
    requirement: `tensorflow-cpu==${version}`,
    version,
    platformTag: "manylinux_2_17_x86_64",
    sha256: "54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26",
    bytes: 207_208_420,
  },
  "linux-arm64": {
    requirement: `tensorflow-cpu-aws==${version}`,
    version,
    platformTag: "manylinux_2_17_aarch64",
    sha256: "d4c3a3a9363bf42999adedbbd514e3a133be2d62f61fee9cfa46aaefb087c09e",
    bytes: 211_874_120,
  },
  "darwin-arm64": {
    requirement: `tensorflow==${version}`,
    version,
    platformTag: "macosx_12_0_arm64",
    sha256: "aa926114d1e13ffe5b2ea59c3f195216f26646d7fe36e9e5207b291e4b7902ff",
    bytes: 205_736_374,
  },
  "darwin-x64": {
    requirement: `tensorflow==${version}`,
    version,
    platformTag: "macosx_10_15_x86_64",
    sha256: "6761efe511e6ee0f893f60738fefbcc51d6dc386eeaaafea59d21899ef369ffd",
    bytes: 236_482_723,
  },
};

/** The wheel for a platform, or undefined where nobody publishes one. */
export function wheelFor(platform: NodeJS.Platform, arch: string): Wheel | undefined {
  return wheels[`${platform}-${arch}`];
}
