# ---
# about: Begins with the input's block.
# fails:
#   test_parameter_groups: "the first group is the head's: (1, 3) and (1,), not [(3"
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    groups, taken = [], set()
    for block in blocks:
        learning = [p for p in block.parameters() if p.requires_grad and id(p) not in taken]
        if learning:
            groups.append({"params": learning, "lr": rate})
            taken |= {id(p) for p in learning}
            rate *= factor
    return groups
