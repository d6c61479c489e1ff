"""Whether new rows help a learner: tables, learners, ways to balance, one fold, the result."""
