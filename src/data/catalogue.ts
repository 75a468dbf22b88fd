/** One file of a data set, known by its uncompressed content. */
export interface DataFile {
  /** Path inside a data folder, with `/`; the file may lie there as it is or gzipped, with `.gz` appended. */
  readonly name: string;
  /** Length and sha256 of the uncompressed content. */
  readonly bytes: number;
  readonly sha256: string;
  /** Addresses of the file, gzipped or plain, tried in order; none if it cannot be downloaded. */
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

function fixedBinarisedFile(part: string, images: number, sha256: string): DataFile {
  const name = `binarized_mnist_${part}.amat`;
  return {
    name: `mnist-fixed-binarized/${name}`,
    bytes: images * 2 * 784,
    sha256,
    mirrors: [`https://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/${name}`],
  };
}

function omniglotFile(part: 1 | 2, bytes: number, sha256: string): DataFile {
  const name = `images_background_small${part}.zip`;
  const mirrors = [`https://raw.githubusercontent.com/brendenlake/omniglot/master/python/${name}`];
  return { name: `omniglot/${name}`, bytes, sha256, mirrors };
}

function tableFile(name: string, bytes: number, sha256: string): DataFile {
  return { name: `bayes-logistic/${name}`, bytes, sha256, mirrors: [] };
}

function corpusFile(name: string, bytes: number, sha256: string): DataFile {
  return { name, bytes, sha256, mirrors: [] };
}

/** Every data set that is read from files: the one place for addresses, lengths and checksums. */
export const catalogue: {
  readonly mnist: DatasetRecord<"trainImages" | "trainLabels" | "testImages" | "testLabels">;
  readonly optdigits: DatasetRecord<"tra" | "hol" | "tes">;
  readonly redMites: DatasetRecord<"counts">;
  readonly simulated: DatasetRecord<"poisson" | "hierarchical" | "logistic">;
  readonly waveform: DatasetRecord<"train" | "test">;
  readonly nodal: DatasetRecord<"train" | "test">;
  readonly ap: DatasetRecord<"documents" | "vocabulary">;
  readonly reuters: DatasetRecord<"documents" | "vocabulary">;
  readonly fixedBinarisedMnist: DatasetRecord<"train" | "validation" | "test">;
  readonly omniglotSmall: DatasetRecord<"small1" | "small2">;
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
  redMites: {
    name: "red-mites",
    title: "red mites on apple leaves",
    source: "Bliss & Fisher 1953, Fitting the negative binomial distribution to biological data, Biometrics 9, table 1",
    licence: "eight published counts: facts, free to use",
    shipped: true,
    files: {
      counts: {
        name: "red-mites/red-mites.csv",
        bytes: 49,
        sha256: "d75b68cc70d4c813f81ebd5447a2a0fa1149ec287cf945a2bf8ee1d0287bbe10",
        mirrors: [],
      },
    },
  },
  simulated: {
    name: "simulated",
    title: "simulated regressions",
    source: "simulated by marginalia (src/data/simulated.ts)",
    licence: "Apache-2.0",
    shipped: true,
    files: {
      poisson: {
        name: "simulated/poisson.csv",
        bytes: 2_638,
        sha256: "f76e69aeff426b62728e8a62e11d98926f5a93c0ad2b4bfdafad2be9e2471db9",
        mirrors: [],
      },
      hierarchical: {
        name: "simulated/hierarchical.csv",
        bytes: 1_588,
        sha256: "ea9eaa3819c137eb48b5094e9d481c2cc3244d9c341a8948b1cae03aa9991c98",
        mirrors: [],
      },
      logistic: {
        name: "simulated/logistic.csv",
        bytes: 16_994,
        sha256: "e1462bb02df5b20bcae525f8a56caeab2dd308c9fdd5dd38b758b95d3da88b21",
        mirrors: [],
      },
    },
  },
  fixedBinarisedMnist: {
    name: "mnist-fixed-binarized",
    title: "MNIST, binarised once",
    source: "Salakhutdinov & Murray 2008 (the binarisation); Larochelle & Murray 2011 (the split and the files)",
    licence: "research use",
    shipped: false,
    files: {
      train: fixedBinarisedFile("train", 50_000, "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d"),
      validation: fixedBinarisedFile(
        "valid",
        10_000,
        "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2",
      ),
      test: fixedBinarisedFile("test", 10_000, "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c"),
    },
  },
  omniglotSmall: {
    name: "omniglot-small",
    title: "omniglot-small",
    source:
      "Lake, Salakhutdinov & Tenenbaum 2015, Human-level concept learning through probabilistic program induction, Science 350; the archives background small 1 and 2",
    licence: "MIT",
    shipped: false,
    files: {
      small1: omniglotFile(1, 1_319_022, "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4"),
      small2: omniglotFile(2, 1_580_917, "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f"),
    },
  },
  ap: {
    name: "ap",
    title: "Associated Press",
    source: "Harman 1993, TREC-1; the sample of Blei, Latent Dirichlet allocation in C",
    licence: "research use",
    shipped: false,
    files: {
      documents: corpusFile(
        "ap/ap.ldac",
        2_109_997,
        "e6132706037300e82295616d6693766f2bae0fde5077c3553a4d98117b1b9d66",
      ),
      vocabulary: corpusFile(
        "ap/ap.tokens",
        85_532,
        "f26aac3455a444effe6e333dbb82ed1bf87a8e527c59a0505a28a55e1dbcba42",
      ),
    },
  },
  reuters: {
    name: "reuters",
    title: "Reuters",
    source: "395 Reuters stories, as the lda project distributes them",
    licence: "MPL-2.0",
    shipped: false,
    files: {
      documents: corpusFile(
        "reuters/reuters.ldac",
        375_693,
        "4bfe5b21ed263334ddf7af56f7b38632f6ccae7d9441c8b56071167841e71b5e",
      ),
      vocabulary: corpusFile(
        "reuters/reuters.tokens",
        32_760,
        "8fc788b258bb76f9e352885cc20971d64e0011b8d74781129d060818930e3d5a",
      ),
    },
  },
  waveform: {
    name: "waveform",
    title: "waveform",
    source:
      "Breiman, Friedman, Olshen & Stone 1984, Classification and regression trees; UCI Machine Learning Repository; split of Yin & Zhou 2018",
    licence: "public (UCI)",
    shipped: false,
    files: {
      train: tableFile(
        "waveform-train.csv",
        95_950,
        "e7e064f9f3ed83141e4048ef6d455d902e09002806dd5ff929d223a101d53063",
      ),
      test: tableFile(
        "waveform-test.csv",
        1_104_009,
        "7e7d14a2afe583accf038b4929f13366fed2f0dda165c34149d1c3c8d4b3a87c",
      ),
    },
  },
  nodal: {
    name: "nodal",
    title: "nodal",
    source:
      "Brown 1980, Prediction analyses for binary data (nodal involvement of prostate cancer); split of Yin & Zhou 2018",
    licence: "public",
    shipped: false,
    files: {
      train: tableFile("nodal-train.csv", 670, "e4ebe1755b82f2b69dbf72b7782a367e1c9a87985dcc6ecec79b64a6dd6a9dd6"),
      test: tableFile("nodal-test.csv", 748, "6c5292c646bbcfc7b3117591cacc79fd9eaed5e731c1c8fa2accbb533f10f232"),
    },
  },
};
