"""safetensors files: the length of a JSON header, the header, the numbers."""

import json

import numpy as np


def read(path):
    """Metadata and flat float32 arrays by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        numbers = file.read()
    metadata = header.pop("__metadata__", {})
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        arrays[name] = np.frombuffer(numbers[begin:end], np.float32).reshape(entry["shape"])
    return metadata, arrays


def write(path, arrays):
    header, begin = {}, 0
    for name, array in arrays.items():
        end = begin + 4 * array.size
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array, np.float32).tobytes())


def nest(flat):
    """{"net.layers.0.bias": b} as {"net": {"layers": [{"bias": b}]}}."""
    children = {}
    for path, value in flat.items():
        head, _, rest = path.partition(".")
        children.setdefault(head, {})[rest] = value
    nested = {head: below[""] if "" in below else nest(below) for head, below in children.items()}
    return list(nested.values()) if nested and all(head.isdigit() for head in nested) else nested


def start(path):
    """A workload's start as the TypeScript side wrote it: name, sizes, flat parameters, data, noise of the first steps."""
    metadata, arrays = read(path)
    parts = {"parameters": {}, "data": {}, "noise": {}}
    for name, array in arrays.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = array
    return metadata["workload"], json.loads(metadata["sizes"]), parts["parameters"], parts["data"], nest(parts["noise"])
