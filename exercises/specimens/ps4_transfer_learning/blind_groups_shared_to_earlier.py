# ---
# about: A shared parameter belongs to the earlier block, since shared ones are sorted out from
#   the first block on.
# blind: true
# fails:
#   test_parameter_groups: "blocks 1 and 2 of three share a parameter"
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor):
    """Parameter groups for an optimiser, the last block's first; see above."""
    seen, lists = set(), []
    for block in blocks:
        params = [p for p in block.parameters() if p.requires_grad and id(p) not in seen]
        seen.update(id(p) for p in params)
        lists.append(params)
    groups = []
    for params in reversed(lists):
        if params:
            groups.append({"params": params, "lr": rate})
            rate *= factor
    return groups
