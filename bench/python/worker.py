"""Runs workloads in JAX or PyTorch for the benchmark: one request a line on standard input, one answer a line on standard output."""

import importlib
import json
import os
import sys
import time

import container

answers = os.fdopen(os.dup(1), "w", buffering=1)  # compilers write to standard output too
os.dup2(2, 1)
engine = importlib.import_module(f"engine_{sys.argv[1]}")
sessions = {}


def run(file, variant, seconds):
    first = None
    if (file, variant) not in sessions:
        begin = time.perf_counter()
        sessions[file, variant] = engine.Session(file, variant)
        sessions[file, variant].step()
        first = 1e3 * (time.perf_counter() - begin)
    session = sessions[file, variant]
    for _ in range(3):
        session.step()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        times.append(session.step())
    return {"first": first, "times": times, "loss": session.loss()}


def first(file, variant):
    engine.Session(file, variant).step()
    return {}


def check(file, variant, out):
    losses, gradient = engine.check(file, variant)
    container.write(out, gradient)
    return {"losses": losses}


def probe(probe, shape, seconds):
    call = engine.probe(probe, shape)
    for _ in range(3):
        call()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        begin = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - begin))
    return {"times": times}


def hello():
    return {"versions": engine.versions(), "threads": os.cpu_count(), "variants": engine.VARIANTS}


def forget():
    sessions.clear()
    return {}


requests = {"hello": hello, "run": run, "first": first, "check": check, "probe": probe, "forget": forget}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = requests[request.pop("do")](**request)
    except Exception as error:  # one workload's failure is a row of the table, not the end of the benchmark
        answer = {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"}
    answers.write(json.dumps(answer) + "\n")
