# ---
# about: Exponentiates the logits as they come; large ones overflow to nan.
# fails:
#   test_softmax_cross_entropy: exp overflows unless you subtract the maximum
# ---

# %% solution="softmax_cross_entropy"
def softmax_cross_entropy(logits, labels):
    p = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
    onehot = F.one_hot(labels, logits.shape[1])
    return -(p * onehot).sum(dim=1).log().mean(), (p - onehot) / len(labels)
