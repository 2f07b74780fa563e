# ---
# about: Puts a shared parameter into two groups.
# fails:
#   test_parameter_groups: "blocks 1 and 2 of three share a parameter"
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    groups, taken = [], set()
    for block in reversed(blocks):
        learning = [p for p in block.parameters() if p.requires_grad]
        if learning:
            groups.append({"params": learning, "lr": rate})
            taken |= {id(p) for p in learning}
            rate *= factor
    return groups
