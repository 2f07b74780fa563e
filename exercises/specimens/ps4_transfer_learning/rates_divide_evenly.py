# ---
# about: Lowers the rate by the same amount at each step.
# fails:
#   test_parameter_groups: "expected the rates [0.1, 0.05, 0.025], got [0.1, 0.05,"
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    step = rate * (1 - factor)
    groups, taken = [], set()
    for block in reversed(blocks):
        learning = [p for p in block.parameters() if p.requires_grad and id(p) not in taken]
        if learning:
            groups.append({"params": learning, "lr": rate})
            taken |= {id(p) for p in learning}
            rate -= step
    return groups
