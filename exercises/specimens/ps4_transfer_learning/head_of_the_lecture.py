# ---
# about: Takes swap_head from the lecture's helpers, under another name.
# fails:
#   test_swap_head: "'swap_head' is not defined"
#   test_swap_head_convolution: "'swap_head' is not defined"
#   test_transfer: "'swap_head' is not defined"
# ---

# %% solution="swap_head"
from course_utils.models import swap_head as heads_of_the_lecture


def swap_head(network, classes):
    return heads_of_the_lecture(network, classes)
