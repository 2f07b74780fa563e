# ---
# about: Subtracts each row's maximum in place, and so changes the logits that it was lent.
# blind: true
# fails:
#   test_softmax_cross_entropy: "an input was changed"
# ---

# %% solution="softmax_cross_entropy"
def softmax_cross_entropy(logits, labels):
    logits -= logits.amax(dim=1, keepdim=True)
    log_p = logits - logits.exp().sum(dim=1, keepdim=True).log()
    rows = torch.arange(len(labels), device=labels.device)
    grad = log_p.exp()
    grad[rows, labels] -= 1
    return -log_p[rows, labels].mean(), grad / len(labels)
