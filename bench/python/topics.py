"""Fits latent Dirichlet allocation online by scikit-learn or gensim: one request a line on standard input, one answer a line on standard output."""

import importlib.metadata
import json
import os
import sys
import time

import numpy as np
import scipy.sparse

answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)
library = sys.argv[1]


def read(path):
    """Documents as lists of (word, count)."""
    with open(path) as file:
        return [[tuple(map(int, entry.split(":"))) for entry in line.split()[1:]] for line in file]


def scikit_learn(documents, r):
    from sklearn.decomposition import LatentDirichletAllocation

    offsets = np.cumsum([0, *map(len, documents)])
    entries = np.array([entry for document in documents for entry in document])
    counts = scipy.sparse.csr_matrix(
        (entries[:, 1].astype(float), entries[:, 0], offsets), shape=(len(documents), r["vocabulary"])
    )
    model = LatentDirichletAllocation(
        n_components=r["topics"],
        doc_topic_prior=r["alpha"],
        topic_word_prior=r["eta"],
        learning_decay=r["kappa"],
        learning_offset=r["tau"],
        total_samples=len(documents),
        random_state=r["seed"],
    )

    def fit(rows):
        batch = counts[rows]
        begin = time.perf_counter()
        model.partial_fit(batch)
        return time.perf_counter() - begin

    return fit, lambda: model.components_


def gensim(documents, r):
    from gensim.models import LdaModel

    model = LdaModel(
        num_topics=r["topics"],
        id2word={word: str(word) for word in range(r["vocabulary"])},
        alpha=np.full(r["topics"], r["alpha"]),
        eta=r["eta"],
        decay=r["kappa"],
        offset=r["tau"],
        chunksize=r["size"],
        update_every=1,
        eval_every=None,
        random_state=r["seed"],
        dtype=np.float32,
    )

    def fit(rows):
        batch = [documents[i] for i in rows]
        model.state.numdocs = len(documents) - len(batch)  # it takes what it is given for new documents, and scales by their number
        begin = time.perf_counter()
        model.update(batch)
        return time.perf_counter() - begin

    return fit, lambda: model.state.get_lambda()


def run(corpus, batches, checkpoints, out, **r):
    """Trains on the batches named by their rows; writes λ `[topics, vocabulary]` in float32 after each of the checkpoints."""
    documents = read(corpus)
    fit, topics = {"scikit-learn": scikit_learn, "gensim": gensim}[library](documents, r)
    seconds, points = 0.0, []
    for done, rows in enumerate(batches, 1):
        seconds += fit(rows)
        if done in checkpoints:
            file = f"{out}-{done}.f32"
            np.ascontiguousarray(topics(), dtype=np.float32).tofile(file)
            points.append({"step": done, "seconds": seconds, "file": file})
    return {"points": points}


for line in sys.stdin:
    request = json.loads(line)
    try:
        if request.pop("do") == "hello":
            answer = {"versions": f"{library} {importlib.metadata.version(library)}"}
        else:
            answer = run(**request)
    except Exception as error:  # noqa: BLE001 - whatever it is, the benchmark reports it
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=answers)
