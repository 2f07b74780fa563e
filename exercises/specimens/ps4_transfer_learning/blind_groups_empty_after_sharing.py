# ---
# about: A block whose parameters all belong to a later block makes an empty group and a step of
#   the rate.
# blind: true
# fails:
#   test_parameter_groups: expected the rates
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    groups, seen = [], set()
    for block in reversed(blocks):
        params = [p for p in block.parameters() if p.requires_grad]
        if not params:
            continue
        new = [p for p in params if id(p) not in seen]
        seen.update(id(p) for p in new)
        groups.append({"params": new, "lr": rate})
        rate *= factor
    return groups
