# ---
# about: Picks the right output with view(-1), which fails for outputs that are not contiguous
#   (a transposed tensor).
# blind: true
# fails:
#   test_top_1: view size is not compatible with input tensor's size and str
#   test_top_5: view size is not compatible with input tensor's size and str
# ---

# %% solution="top_k_accuracy"
def top_k_accuracy(outputs, labels, k):
    """The share of pictures (a float) whose right class is among the k largest outputs."""
    n, c = outputs.shape
    if n == 0:
        raise ValueError("no pictures")
    flat = outputs.view(-1)
    right = flat[torch.arange(n, device=labels.device) * c + labels]
    count = (outputs >= right[:, None]).sum(1)
    return (count <= k).double().mean().item()
