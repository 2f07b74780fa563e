# ---
# about: Gives frozen parameters to the optimiser, too.
# fails:
#   test_parameter_groups: "rate 0.1, factor 0.5, frozen blocks (), rate 0.05: expe"
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    groups, taken = [], set()
    for block in reversed(blocks):
        learning = [p for p in block.parameters() if id(p) not in taken]
        if learning:
            groups.append({"params": learning, "lr": rate})
            taken |= {id(p) for p in learning}
            rate *= factor
    return groups
