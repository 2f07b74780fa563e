# ---
# about: "Right: compares the k+1-th largest output with that of the right class, on sorted rows."
# blind: true
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs."""
    n, c = outputs.shape
    if n == 0:
        raise ValueError("no pictures")
    if k >= c:
        return 1.0
    ranked = outputs.sort(dim=1, descending=True).values
    own = outputs[torch.arange(n, device=outputs.device), labels.to(outputs.device).long()]
    # a hit if even the first one that isn't among the k is smaller
    hits = ranked[:, k] < own
    return int(hits.sum()) / n
