# ---
# about: Reverses the caller's list of blocks in place.
# blind: true
# fails:
#   test_parameter_groups: "an input was changed"
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    blocks.reverse()
    groups, seen = [], set()
    for block in blocks:
        params = [p for p in block.parameters() if p.requires_grad and id(p) not in seen]
        if not params:
            continue
        seen.update(id(p) for p in params)
        groups.append({"params": params, "lr": rate})
        rate *= factor
    return groups
