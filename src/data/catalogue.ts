/** One file of a data set, known by its uncompressed content. */
export interface DataFile {
  /** Path inside a data folder, with `/`; the file may lie there as it is or gzipped, with `.gz` appended. */
  readonly name: string;
  /** Length and sha256 of the uncompressed content. */
  readonly bytes: number;
  readonly sha256: string;
  /** Addresses of the gzipped file, tried in order; none if it cannot be downloaded. */
  readonly mirrors: readonly string[];
}

/** A data set in files, with what one must know to use and cite it. */
export interface DatasetRecord<FileKey extends string = string> {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly licence: string;
  /** Whether the project ships the files in its own `data/`. */
  readonly shipped: boolean;
  readonly files: Readonly<Record<FileKey, DataFile>>;
}

const mnistMirrors = [
  "https://ossci-datasets.s3.amazonaws.com/mnist/",
  "https://storage.googleapis.com/cvdf-datasets/mnist/",
];

function mnistFile(name: string, bytes: number, sha256: string): DataFile {
  return { name: `mnist/${name}`, bytes, sha256, mirrors: mnistMirrors.map((mirror) => `${mirror}${name}.gz`) };
}

/** Every data set that is read from files: the one place for addresses, lengths and checksums. */
export const catalogue: {
  readonly mnist: DatasetRecord<"trainImages" | "trainLabels" | "testImages" | "testLabels">;
  readonly optdigits: DatasetRecord<"tra" | "hol" | "tes">;
} = {
  mnist: {
    name: "mnist",
    title: "MNIST",
    source: "LeCun, Cortes & Burges, The MNIST database of handwritten digits",
    licence: "CC BY-SA 3.0",
    shipped: false,
    files: {
      trainImages: mnistFile(
        "train-images-idx3-ubyte",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
      ),
      trainLabels: mnistFile(
        "train-labels-idx1-ubyte",
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
      ),
      testImages: mnistFile(
        "t10k-images-idx3-ubyte",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      ),
      testLabels: mnistFile(
        "t10k-labels-idx1-ubyte",
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
      ),
    },
  },
  optdigits: {
    name: "optdigits",
    title: "optdigits",
    source:
      "Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, doi:10.24432/C50P49",
    licence: "CC BY 4.0",
    shipped: true,
    files: {
      tra: {
        name: "optdigits/optdigits.tra",
        bytes: 442_086,
        sha256: "a6d20dd0016ea85e8e207860d7b59411b07ddd18981ab250fa0ce37525570ab7",
        mirrors: [],
      },
      hol: {
        name: "optdigits/optdigits.hol",
        bytes: 121_588,
        sha256: "4e93dfa93f501c29e4b6e1db417db68be20a7acafd85e52939e04369ecde386a",
        mirrors: [],
      },
      tes: {
        name: "optdigits/optdigits.tes",
        bytes: 264_748,
        sha256: "94d7b3c067125a5f6a6d51cf1dc8e95de7d731e41c7f1e714897330242949464",
        mirrors: [],
      },
    },
  },
};
