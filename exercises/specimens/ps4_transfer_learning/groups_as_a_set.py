# ---
# about: Gives the groups in the order of a set, which changes from start to start.
# fails:
#   test_shared_groups: "expected ["
# ---

# %% solution="shared_groups"
def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    learned = {groups[i] for i in train}
    asked = {groups[j] for j in test}
    return sorted(learned & asked, key=str)
