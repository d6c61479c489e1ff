"""What a fit may reveal of its rows: the budget, what was bought with it, and how.

`budget` is what the user grants, `ledger` what was spent on what, `accounting` adds it up, and
`noise` draws whatever has to be unpredictable.
"""
