# ---
# about: Normalises over the images of the batch, where the classes of an image are meant.
# fails:
#   test_softmax_cross_entropy: The loss is the mean of -log p
#   test_network_gradients: an untrained guess costs about log 3
#   test_training: do all of part 3's tests pass
# ---

# %% solution="softmax_cross_entropy"
def softmax_cross_entropy(logits, labels):
    log_p = torch.log_softmax(logits, dim=0)
    rows = torch.arange(len(labels), device=labels.device)
    grad_logits = log_p.exp()
    grad_logits[rows, labels] -= 1
    return -log_p[rows, labels].mean(), grad_logits / len(labels)
