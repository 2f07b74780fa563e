# ---
# about: The outputs are cast to float32, so doubles that differ only slightly become ties.
# blind: true
# fails:
#   test_top_1: These are no ties
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs."""
    if len(labels) == 0:
        raise ValueError("no pictures")
    outputs = outputs.float()
    right = outputs[torch.arange(len(labels), device=outputs.device), labels.long()]
    count = (outputs >= right[:, None]).sum(1)
    return float((count <= k).double().mean())
