# ---
# about: Keeps the list of a block's parameters by the block, and hands out the same list again.
# fails:
#   test_parameter_groups: "called again"
# ---

# %% solution="parameter_groups"
_LISTS = {}


def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    groups, taken = [], set()
    for block in reversed(blocks):
        learning = [p for p in block.parameters() if p.requires_grad and id(p) not in taken]
        learning = _LISTS.setdefault(tuple(map(id, learning)), learning)
        if learning:
            groups.append({"params": learning, "lr": rate})
            taken |= {id(p) for p in learning}
            rate *= factor
    return groups
