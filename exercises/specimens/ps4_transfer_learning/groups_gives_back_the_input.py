# ---
# about: Gives back the list that it got, if all of its groups are on both sides.
# fails:
#   test_shared_groups: "give back a list of your own"
# ---

# %% solution="shared_groups"
def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    learned = {groups[i] for i in train}
    asked = {groups[j] for j in test}
    shared = [group for group in dict.fromkeys(groups) if group in learned and group in asked]
    return groups if shared == groups else shared
