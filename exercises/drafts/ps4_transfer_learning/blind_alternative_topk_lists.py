# ---
# about: "Right: top-k with Python lists and plain loops."
# blind: true
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs."""
    rows, wanted = outputs.tolist(), labels.tolist()
    if not rows:
        raise ValueError("a share of no pictures is not a number")
    hits = 0
    for row, c in zip(rows, wanted):
        at_least = 0
        for number in row:
            if number >= row[c]:
                at_least += 1
        hits += at_least <= k
    return hits / len(rows)
