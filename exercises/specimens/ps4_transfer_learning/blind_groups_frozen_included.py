# ---
# about: Frozen parameters are in the groups, too.
# blind: true
# fails:
#   test_parameter_groups: expected parameters
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    groups, seen = [], set()
    for block in reversed(blocks):
        params = [p for p in block.parameters() if id(p) not in seen]
        seen.update(id(p) for p in params)
        if params:
            groups.append({"params": params, "lr": rate})
            rate = rate * factor
    return groups
