#!/usr/bin/env python3
"""Values of two small classifiers and an autoencoder, for test/learning/network/golden.test.ts.

An independent program: NumPy in float64, derivatives in the parameters by the complex step
Im f(theta + i h e_p) / h with h = 1e-30. Run: python3 golden.py > golden.json (needs numpy).
"""
import json
import numpy as np

STEP = 1e-30
CASES = [
    {"name": "mlp", "widths": [12, 7, 5, 4]},
    {"name": "convolution", "rows": 8, "columns": 8, "kernel": 3, "stride": 1, "padding": 1, "pool": 2,
     "channels": 2, "hidden": [5], "classes": 3},
]
EXAMPLES = 3


def inputs_of(count):
    return np.sin(0.7 * np.arange(count) + 0.2).astype(np.float32).astype(float)


def dense(theta, at, x, outputs):
    inputs = len(x)
    w = theta[at:at + inputs * outputs].reshape(outputs, inputs)
    b = theta[at + inputs * outputs:at + inputs * outputs + outputs]
    return w @ x + b, at + inputs * outputs + outputs


def mlp(case, theta, x):
    at = 0
    for index, outputs in enumerate(case["widths"][1:]):
        x, at = dense(theta, at, x, outputs)
        if index + 2 < len(case["widths"]):
            x = np.tanh(x)
    return x


def largest(values):
    """The complex value with the largest real part: max pooling that keeps the derivative."""
    return max(values, key=lambda value: value.real)


def convolution(case, theta, x):
    k, stride, padding, pool = (case[name] for name in ("kernel", "stride", "padding", "pool"))
    image = np.pad(x.reshape(case["rows"], case["columns"]), padding)
    channels = case["channels"]
    w = theta[:channels * k * k].reshape(channels, k, k)
    b = theta[channels * k * k:channels * k * k + channels]
    at = channels * k * k + channels
    units = []
    for c in range(channels):
        z = np.array([[np.tanh(np.sum(w[c] * image[r:r + k, s:s + k]) + b[c])
                       for s in range(0, image.shape[1] - k + 1, stride)]
                      for r in range(0, image.shape[0] - k + 1, stride)])
        for r in range(0, z.shape[0] - pool + 1, pool):
            for s in range(0, z.shape[1] - pool + 1, pool):
                units.append(largest(z[r:r + pool, s:s + pool].ravel()))
    x = np.array(units)
    widths = [*case["hidden"], case["classes"]]
    for index, outputs in enumerate(widths):
        x, at = dense(theta, at, x, outputs)
        if index + 1 < len(widths):
            x = np.tanh(x)
    return x


def parameter_count(case):
    if "widths" in case:
        return sum(a * b + b for a, b in zip(case["widths"], case["widths"][1:]))
    k, channels = case["kernel"], case["channels"]
    side = lambda n: ((n + 2 * case["padding"] - k) // case["stride"] + 1) // case["pool"]
    widths = [channels * side(case["rows"]) * side(case["columns"]), *case["hidden"], case["classes"]]
    return channels * (k * k + 1) + sum(a * b + b for a, b in zip(widths, widths[1:]))


def results(case):
    outputs_of = mlp if "widths" in case else convolution
    size = case["widths"][0] if "widths" in case else case["rows"] * case["columns"]
    classes = case["widths"][-1] if "widths" in case else case["classes"]
    count = parameter_count(case)
    theta = 0.5 * np.sin(1.3 * np.arange(count) + 0.4)
    images = inputs_of(EXAMPLES * size).reshape(EXAMPLES, size)
    logits = np.array([outputs_of(case, theta, x) for x in images])
    jacobian = np.zeros((EXAMPLES, classes, count))
    for p in range(count):
        moved = theta.astype(complex)
        moved[p] += 1j * STEP
        for e, x in enumerate(images):
            jacobian[e, :, p] = outputs_of(case, moved, x).imag / STEP
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    labels = np.arange(EXAMPLES) % classes
    loss = -np.mean(np.log(probabilities[np.arange(EXAMPLES), labels]))
    gradient = np.einsum("ek,ekp->p", probabilities - np.eye(classes)[labels], jacobian) / EXAMPLES
    # The Gauss-Newton matrix J^T (diag p - p p^T) J, a mean over the examples, times cos 0, cos 1, ...
    along = jacobian @ np.cos(np.arange(count))
    middle = probabilities * along - probabilities * np.sum(probabilities * along, axis=1, keepdims=True)
    curved = np.einsum("ek,ekp->p", middle, jacobian) / EXAMPLES
    short = lambda values: [float(f"{value:.12g}") for value in values]
    return {**case, "count": count, "probabilities": short(probabilities.ravel()), "loss": float(f"{loss:.12g}"),
            "gradient": short(gradient), "gaussNewtonTimesCosine": short(curved)}


def autoencoder_results(widths):
    """The loss is half the squared error, a mean over the examples; the targets are the inputs."""
    case = {"widths": widths}
    count = parameter_count(case)
    theta = 0.5 * np.sin(1.3 * np.arange(count) + 0.4)
    images = inputs_of(EXAMPLES * widths[0]).reshape(EXAMPLES, widths[0])

    def loss_of(theta):
        return sum(np.sum((mlp(case, theta, x) - x) ** 2) for x in images) / (2 * EXAMPLES)

    gradient = np.zeros(count)
    for p in range(count):
        moved = theta.astype(complex)
        moved[p] += 1j * STEP
        gradient[p] = loss_of(moved).imag / STEP
    short = lambda values: [float(f"{value:.12g}") for value in values]
    outputs = np.array([mlp(case, theta, x) for x in images])
    return {"widths": widths, "count": count, "outputs": short(outputs.ravel()),
            "loss": float(f"{loss_of(theta):.12g}"), "gradient": short(gradient)}


print(json.dumps({
    "classifiers": [results(case) for case in CASES],
    "autoencoder": autoencoder_results([6, 4, 2, 4, 6]),
}))
