# ---
# about: In a tie the right class loses only against classes with a larger number (stable sort
#   of the mirrored row), not against earlier ones.
# blind: true
# fails:
#   test_top_1: "Of tied classes"
#   test_top_5: Of tied classes
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs."""
    if len(labels) == 0:
        raise ValueError("no pictures")
    classes = outputs.shape[1]
    # mirrored, so that of two equal outputs the later class is sorted first
    order = outputs.flip(1).argsort(dim=1, descending=True, stable=True)
    order = classes - 1 - order
    hits = (order[:, :k] == labels[:, None]).any(1)
    return hits.double().mean().item()
