# ---
# about: A group with several training pictures is listed several times.
# blind: true
# fails:
#   test_shared_groups: for groups
# ---

# %% solution="shared_groups"
def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    tested = {groups[j] for j in test}
    return [groups[i] for i in sorted(train) if groups[i] in tested]
