# ---
# about: A parameter that two blocks share is in two groups.
# blind: true
# fails:
#   test_parameter_groups: expected parameters
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    groups = []
    for block in reversed(blocks):
        params = [p for p in block.parameters() if p.requires_grad]
        if params:
            groups.append({"params": params, "lr": rate})
            rate = rate * factor
    return groups
