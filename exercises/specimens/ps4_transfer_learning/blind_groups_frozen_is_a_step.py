# ---
# about: A frozen block makes no group, but the rate is multiplied all the same.
# blind: true
# fails:
#   test_parameter_groups: expected the rates
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    groups, seen = [], set()
    for block in reversed(blocks):
        everything = list(block.parameters())
        params = [p for p in everything if p.requires_grad and id(p) not in seen]
        seen.update(id(p) for p in params)
        if params:
            groups.append({"params": params, "lr": rate})
        if params or any(not p.requires_grad for p in everything):
            rate = rate * factor
    return groups
