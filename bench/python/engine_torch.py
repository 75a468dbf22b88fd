"""Runs workloads in PyTorch: eagerly, and with the loss compiled."""

import os
import time

import autoencoder_torch
import iwhvi_torch
import logistic_torch
import sivi_torch
import torch
import uivi_torch
from container import nest, start

WORKLOADS = {
    "sivi": (sivi_torch.draw, sivi_torch.loss),
    "uivi": (uivi_torch.draw, uivi_torch.loss),
    "iwae": (autoencoder_torch.draw, autoencoder_torch.iwae),
    "vae": (autoencoder_torch.draw, autoencoder_torch.vae),
    "mean-field": (logistic_torch.draw, logistic_torch.mean_field),
    "full-rank": (logistic_torch.draw, logistic_torch.full_rank),
    "iwhvi": (iwhvi_torch.draw, iwhvi_torch.loss),
}
VARIANTS = ["eager", "compile"]

torch.set_num_threads(os.cpu_count())


def versions():
    return f"PyTorch {torch.__version__}"


def nested(arrays, requires_grad=False):
    flat = {path: torch.tensor(array).requires_grad_(requires_grad) for path, array in arrays.items()}
    return flat, nest(flat)


def adam(flat):
    return torch.optim.Adam(flat.values(), lr=1e-3, fused=True)  # the fastest of its three ways on a CPU


def check(file, variant):
    """Losses of the first steps with the noise that the file gives, and the first gradient."""
    name, sizes, parameters, data, noise = start(file)
    flat, parameters = nested(parameters, requires_grad=True)
    data, optimizer, (_, loss) = nested(data)[1], adam(flat), WORKLOADS[name]
    if variant == "compile":
        loss = torch.compile(loss)
    losses, gradient = [], None
    for draws in noise:
        optimizer.zero_grad()
        value = loss(parameters, data, {name: torch.tensor(array) for name, array in draws.items()}, sizes)
        value.backward()
        losses.append(value.item())
        gradient = gradient or {path: tensor.grad.numpy().copy() for path, tensor in flat.items()}
        optimizer.step()
    return losses, gradient


class Session:
    def __init__(self, file, variant):
        name, sizes, parameters, data, _ = start(file)
        flat, parameters = nested(parameters, requires_grad=True)
        data = nested(data)[1]
        self.optimizer = adam(flat)
        draw, loss = WORKLOADS[name]
        torch.manual_seed(1)
        objective = lambda: loss(parameters, data, draw(sizes), sizes)
        self.objective = torch.compile(objective) if variant == "compile" else objective

    def step(self):
        """Milliseconds of one step."""
        begin = time.perf_counter()
        self.optimizer.zero_grad()
        self.value = self.objective()
        self.value.backward()
        self.optimizer.step()
        return 1e3 * (time.perf_counter() - begin)

    def loss(self):
        return self.value.item()


def probe(name, shape):
    """A call to time."""
    if name == "matmul":
        m, k, n = shape
        a, b = torch.randn(m, k), torch.randn(k, n)
        return lambda: a @ b
    x = torch.ones(shape if name == "memory" else ())
    return lambda: x + 1
