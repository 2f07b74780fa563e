# ---
# about: Measures with numpy, and sorts.
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    numbers, truth = outputs.cpu().numpy(), labels.cpu().numpy()
    if truth.size == 0:
        raise ValueError("there are no pictures")
    hits = 0
    for row, y in zip(numbers, truth, strict=True):
        order = np.argsort(-row, kind="stable").tolist()
        tied = [c for c in order if row[c] == row[y]]
        hits += order.index(tied[-1]) < k
    return float(hits / len(truth))


# %% solution="balanced_accuracy"
def balanced_accuracy(answers, labels):
    by_class = {}
    for said, y in zip(answers.tolist(), labels.tolist(), strict=True):
        by_class.setdefault(y, []).append(said == y)
    if not by_class:
        raise ValueError("there are no pictures")
    return float(np.mean([np.mean(hits) for hits in by_class.values()]))


# %% solution="near_twins"
def near_twins(images, train, test, limit):
    numbers = images.cpu().numpy().astype(float) / 255
    found = set()
    for i in train:
        for j in test:
            for other in (numbers[j], numbers[j][:, :, ::-1]):
                if np.sqrt(np.mean((numbers[i] - other) ** 2)) < limit:
                    found.add((i, j))
    return sorted(found)


# %% solution="statistics_leak"
def statistics_leak(images, train, mean, std, tolerance=1e-4):
    numbers = images.cpu().numpy()[list(train)] / 255.0
    right = [*numbers.mean(axis=(0, 2, 3)), *numbers.std(axis=(0, 2, 3))]
    told = [float(number) for number in [*mean, *std]]
    return any(abs(a - b) > tolerance for a, b in zip(told, right, strict=True))
