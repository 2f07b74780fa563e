# ---
# about: Subtracts the largest logit of the whole batch, not of each row.
# blind: true
# fails:
#   test_softmax_cross_entropy: subtract the maximum
# ---

# %% solution="softmax_cross_entropy"
def softmax_cross_entropy(logits, labels):
    """Loss (a tensor of shape ()) and grad_logits, for logits (N, K) and labels (N,)."""
    z = logits - logits.max()
    log_p = z - z.exp().sum(dim=1, keepdim=True).log()
    rows = torch.arange(len(labels), device=labels.device)
    grad = log_p.exp()
    grad[rows, labels] -= 1
    return -log_p[rows, labels].mean(), grad / len(labels)
