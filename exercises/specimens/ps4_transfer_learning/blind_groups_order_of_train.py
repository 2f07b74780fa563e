# ---
# about: The groups come in the order of the list train, which may be in any order.
# blind: true
# fails:
#   test_shared_groups: for groups
# ---

# %% solution="shared_groups"
def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    tested = {groups[j] for j in test}
    return list(dict.fromkeys(groups[i] for i in train if groups[i] in tested))
