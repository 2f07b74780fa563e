# ---
# about: The set of seen parameters is a default argument and lives on, so a second call for the
#   same network finds nothing.
# blind: true
# fails:
#   test_parameter_groups: "called again: expected the rates"
# ---

# %% solution="parameter_groups"
def parameter_groups(blocks, rate, factor, seen=set()):  # noqa: B006 - the mistake itself
    """Parameter groups for an optimiser, the last block's first; see above."""
    groups = []
    for block in reversed(blocks):
        params = [p for p in block.parameters() if p.requires_grad and id(p) not in seen]
        if not params:
            continue
        seen.update(id(p) for p in params)
        groups.append({"params": params, "lr": rate})
        rate *= factor
    return groups
