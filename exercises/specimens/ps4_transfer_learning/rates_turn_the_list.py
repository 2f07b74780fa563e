# ---
# about: Turns the caller's list of blocks around.
# fails:
#   test_parameter_groups: "an input was changed"
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    groups, taken = [], set()
    blocks.reverse()
    for block in blocks:
        learning = [p for p in block.parameters() if p.requires_grad and id(p) not in taken]
        if learning:
            groups.append({"params": learning, "lr": rate})
            taken |= {id(p) for p in learning}
            rate *= factor
    return groups
