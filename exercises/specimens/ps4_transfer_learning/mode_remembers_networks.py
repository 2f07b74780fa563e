# ---
# about: Does nothing to a network and a head that it has seen before.
# fails:
#   test_set_mode: "training of"
#   test_train: "and again with other pictures"
# ---

# %% solution="set_mode"
_SEEN = []


def set_mode(network, head):
    """Training mode for the submodule called `head` (None: for everything), else evaluation."""
    if any(network is known and head == name for known, name in _SEEN):
        return
    _SEEN.append((network, head))
    network.train(head is None)
    if head is not None:
        network.get_submodule(head).train()
